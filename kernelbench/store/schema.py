"""The JSON Schema of a result file."""

from typing import Any

import msgspec

from kernelbench.model import SCHEMA_VERSION, Result


def result_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of ``Result`` at the current ``SCHEMA_VERSION``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"kernelbench result, schema version {SCHEMA_VERSION}",
        **msgspec.json.schema(Result),
    }
