"""The published schema."""

import json

from kernelbench.store.schema import result_schema


def test_the_schema_is_json_and_has_the_top_keys_of_a_result() -> None:
    schema = json.loads(json.dumps(result_schema()))
    top = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    assert {"schema_version", "kind", "kernelbench", "created", "config", "machines"} <= set(top["required"])
    assert {"ceilings", "records", "expectations"} <= set(top["properties"])
