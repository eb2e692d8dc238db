"""The GitHub action: its steps run by a shell, with a command in place of kernelbench that says how it was called."""

from pathlib import Path

import pytest
import yaml

from tests.ci.shell import ACTION, ROOT, STEPS, Ended, run_step

COMPARE = "Compare base and head"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
HOSTILE = [
    '"; touch pwned; "',
    "'; touch pwned; '",
    "$(touch pwned)",
    "`touch pwned`",
    "a b\tc",
    "*",
    "--help",
    "${IFS}",
    "x\n::error::pwned",
    "\\",
    "ü",
]


def compare(folder: Path, inputs: dict[str, str] | None = None, **fake: str) -> Ended:
    return run_step(COMPARE, folder, inputs or {}, **fake)


def test_by_default_the_working_tree_is_compared_with_the_first_parent(tmp_path: Path) -> None:
    done = compare(tmp_path)
    assert done.code == 0, done.log
    assert done.arguments[0] == "ab"
    assert done.arguments[-3:] == ["--", "HEAD^1", "."]
    assert done.values_of("--config") == ["ci"]
    assert done.values_of("--threshold") == ["5%"]
    assert done.values_of("--fail-on") == ["regression"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["base", "head", "config"])
def test_an_input_arrives_as_one_word_whatever_is_in_it(tmp_path: Path, name: str, text: str) -> None:
    done = compare(tmp_path, {name: text})
    words = done.arguments
    found = {"base": words[-2], "head": words[-1], "config": "".join(done.values_of("--config"))}
    assert found[name] == text
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("text", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "*", "${HOME}", "~"])
@pytest.mark.parametrize("name", ["threshold", "fail-on", "args"])
def test_nothing_in_a_list_is_run_or_expanded(tmp_path: Path, name: str, text: str) -> None:
    done = compare(tmp_path, {name: text})
    assert done.code == 0, done.log
    assert set(text.split()) <= set(" ".join(done.arguments).split())
    assert not list(tmp_path.rglob("pwned"))


def test_each_line_of_the_threshold_is_one_rule(tmp_path: Path) -> None:
    done = compare(tmp_path, {"threshold": "3%\n\n  matmul/*=10% \ngemv/*/n=512 x=8%\n"})
    assert done.values_of("--threshold") == ["3%", "matmul/*=10%", "gemv/*/n=512 x=8%"]


@pytest.mark.parametrize(
    "text", ["ambiguous missing", "ambiguous,missing", "ambiguous\nmissing\n", " ambiguous  missing"]
)
def test_what_fails_is_a_list(tmp_path: Path, text: str) -> None:
    assert compare(tmp_path, {"fail-on": text}).values_of("--fail-on") == ["ambiguous", "missing"]


def test_more_options_are_split_as_a_shell_splits_them(tmp_path: Path) -> None:
    done = compare(tmp_path, {"args": """-k 'relu/*' --case "*/n=64 x" -t 1\n--seed=3"""})
    assert done.arguments[-10:] == ["-k", "relu/*", "--case", "*/n=64 x", "-t", "1", "--seed=3", "--", "HEAD^1", "."]


def test_a_quote_that_is_not_closed_is_a_usage_error(tmp_path: Path) -> None:
    done = compare(tmp_path, {"args": "-k 'relu/*"})
    assert (done.code, done.arguments) == (2, [])
    assert "a quote is not closed" in done.log


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (0, "pass"),
        (1, "regressed"),
        (2, "usage"),
        (3, "ambiguous"),
        (4, "failed"),
        (5, "incomparable"),
        (6, "missing"),
        (70, "broken"),
        (130, "interrupted"),
        (137, "broken"),
    ],
)
def test_the_exit_code_is_passed_on_with_its_meaning(tmp_path: Path, code: int, verdict: str) -> None:
    done = compare(tmp_path, CODE=str(code))
    assert done.code == code
    assert (done.outputs["verdict"], done.outputs["exit-code"]) == (verdict, str(code))
    assert ("::error title=kernelbench::" in done.log) == (code != 0)


@pytest.mark.parametrize(
    ("code", "left"), [(0, 0), (1, 0), (3, 0), (4, 0), (5, 0), (6, 0), (2, 2), (70, 70), (130, 130)]
)
def test_an_advisory_step_fails_only_when_there_was_no_verdict(tmp_path: Path, code: int, left: int) -> None:
    done = compare(tmp_path, {"fail-on": "none"}, CODE=str(code))
    assert (done.code, done.values_of("--fail-on")) == (left, [])
    assert done.outputs["exit-code"] == str(code)
    assert ("::warning" in done.log) == (code in (1, 3, 4, 5, 6))


def test_the_verdict_is_in_the_summary_once_and_in_the_log(tmp_path: Path) -> None:
    done = compare(tmp_path, CODE="1", TABLE="relu  regressed", MARKDOWN="| relu | regressed |\n")
    assert done.summary == "| relu | regressed |\n"
    assert "relu  regressed" in done.log


def test_the_outputs_name_the_files_that_were_written(tmp_path: Path) -> None:
    done = compare(tmp_path, CODE="1", MARKDOWN="m", RESULT="{}", JUNIT="<testsuites/>")
    written = {name: Path(done.outputs[name]).read_text() for name in ("markdown", "result", "junit")}
    assert written == {"markdown": "m", "result": "{}", "junit": "<testsuites/>"}


def test_files_that_were_not_written_are_not_named(tmp_path: Path) -> None:
    assert set(compare(tmp_path, CODE="2").outputs) == {"verdict", "exit-code"}


def test_what_the_code_under_test_prints_gives_the_runner_no_orders(tmp_path: Path) -> None:
    lines = compare(tmp_path, TABLE="::error::pwned").log.splitlines()
    (begin,) = [at for at, line in enumerate(lines) if line.startswith("::stop-commands::")]
    token = lines[begin].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert begin < lines.index("::error::pwned") < lines.index(f"::{token}::")


def test_the_action_installs_the_kernelbench_it_belongs_to(tmp_path: Path) -> None:
    done = run_step("Install kernelbench", tmp_path, command="python")
    assert done.arguments[:3] == ["-m", "pip", "install"]
    assert done.arguments[-1] == str(ROOT)


def test_no_input_is_written_into_a_script() -> None:
    assert [step["name"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_every_run_step_names_its_shell() -> None:
    assert all("shell" in step for step in STEPS if "run" in step)


def test_every_output_comes_from_a_step_that_sets_it(tmp_path: Path) -> None:
    done = compare(tmp_path, MARKDOWN="m", RESULT="{}", JUNIT="<testsuites/>")
    values = {about["value"] for about in ACTION["outputs"].values()}
    assert values == {f"${{{{ steps.ab.outputs.{name} }}}}" for name in done.outputs}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_gives_the_action_only_inputs_it_has(file: Path) -> None:
    steps = [step for job in yaml.safe_load(file.read_text())["jobs"].values() for step in job["steps"]]
    used = [step for step in steps if step.get("uses") == "./"]
    assert used
    assert all(set(step.get("with", {})) <= set(ACTION["inputs"]) for step in used)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_fetches_the_parents_and_may_write_nothing(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    (checkout,) = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert checkout["with"]["fetch-depth"] == 2
