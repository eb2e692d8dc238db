"""What docs/CI.md shows is what there is."""

import re

import yaml

from kernelbench.cli import COMMANDS, cli
from tests.ci.shell import ACTION, ROOT

TEXT = (ROOT / "docs" / "CI.md").read_text()
STEP = next(step["run"] for step in ACTION["runs"]["steps"] if step.get("id") == "ab")
ADVISORY = (ROOT / ".ci" / "advisory").read_text()


def block(name: str) -> dict[str, object]:
    (found,) = re.findall(rf"<!-- tested: {name} -->\n```yaml\n(.*?)```", TEXT, re.DOTALL)
    return yaml.safe_load(found)


def test_the_table_of_inputs_is_that_of_the_action() -> None:
    shown = dict(re.findall(r"^\| `([a-z-]+)` \| ?(?:`([^`]*)`)? \|", TEXT, re.MULTILINE))
    assert shown == {name: str(about["default"]) for name, about in ACTION["inputs"].items()}


def test_every_output_is_documented() -> None:
    (sentence,) = re.findall(r"^Outputs: .*?\. ", TEXT, re.MULTILINE | re.DOTALL)
    assert set(ACTION["outputs"]) <= set(re.findall(r"`([a-z-]+)`", sentence))


def test_the_sample_workflow_gives_only_inputs_that_there_are() -> None:
    steps = block("workflow")["jobs"]["compare"]["steps"]
    (used,) = [step for step in steps if "/kernelbench@" in step.get("uses", "")]
    assert set(used["with"]) <= set(ACTION["inputs"])


def test_the_gitlab_job_is_a_job() -> None:
    job = block("gitlab")["kernels"]
    assert job["artifacts"]["reports"]["junit"] == "junit.xml"
    assert any("--format junit=junit.xml" in line for line in job["script"])


def test_every_option_that_is_used_exists() -> None:
    assert "ab" in COMMANDS
    command = cli.get_command(None, "ab")
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    lines = [
        line for text in (TEXT, ADVISORY) for line in text.replace("\\\n", " ").splitlines() if "ebench ab " in line
    ]
    used = {
        word for line in [*lines, STEP] for word in re.findall(r"(?<![\w-])--[a-z][a-z-]+|(?<=\s)-[a-z](?=\s)", line)
    }
    ours = {"--quiet", "--signal", "--kill-after"} | {"-n", "-r", "-d", "-a", "-s", "-u", "-c"}
    assert {word for word in used - ours if word not in known} == set()
