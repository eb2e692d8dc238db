"""Reading a configuration: what is right is kept, what is wrong is named with file, line and key."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from kernelbench.config import Config, Matrix, as_dict, from_dict, load
from kernelbench.errors import ConfigError
from kernelbench.expect import Other, Rule
from kernelbench.model import CACHE_STATES, DTYPE_BYTES
from kernelbench.protocol import Effort

CONFIGS = Path(__file__).parents[2] / "configs"


def written(folder: Path, text: str) -> Path:
    path = folder / "c.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text))
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder / "c.toml") in message
    return message


def test_an_empty_file_is_the_default_configuration(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == Config()


def test_every_key_reaches_its_field(tmp_path: Path) -> None:
    config = load(
        written(
            tmp_path,
            'seed = 3\nrounds = 9\n[effort]\nsamples = 5\n[[matrix]]\nkernels = ["relu/*"]\n'
            'sizes = [64, "1x2x3"]\nthreads = [1, "all"]\ncache = ["cold"]\n',
        )
    )
    block = Matrix(kernels=("relu/*",), sizes=(64, "1x2x3"), threads=(1, "all"), cache=("cold",))
    assert config == Config(seed=3, rounds=9, effort=Effort(samples=5), matrix=(block,))


def test_an_unknown_key_is_answered_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    message = refusal(tmp_path, "seed = 1\n\n[[matrix]]\n\n[[matrix]]\nkernel = ['*']\n")
    assert "c.toml:6: matrix[1].kernel: unknown key; did you mean kernels?" in message


def test_a_key_in_the_wrong_table_is_sent_to_the_right_one(tmp_path: Path) -> None:
    assert "samples: unknown key; it belongs in the table 'effort'" in refusal(tmp_path, "samples = 3\n")


def test_a_syntax_error_names_the_line_and_quotes_it(tmp_path: Path) -> None:
    message = refusal(tmp_path, "seed = 1\nrounds = = 2\n")
    assert "line 2" in message
    assert "'rounds = = 2'" in message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("rounds = 'six'", ["c.toml:1: rounds: 'six'", "expected int, got str"]),
        ("rounds = true", ["rounds: True", "expected int"]),
        ("rounds = 0", ["c.toml:1: rounds: 0 given; accepted: from 1"]),
        ("python_cap_s = nan", ["python_cap_s: nan given"]),
        ("time_budget_s = inf", ["time_budget_s: inf given"]),
        ("seed = -1", ["seed: -1 given; accepted: from 0"]),
        ("[effort]\nsamples = 2", ["c.toml:2: effort.samples: 2 given; accepted: from 3"]),
        ("effort = 3", ["c.toml:1: effort: 3", "expected table, got int"]),
        ("matrix = 3", ["matrix: 3", "expected list"]),
        ("matrix = []", ["matrix: an empty list"]),
        ("[[matrix]]\ndtypes = ['f23']", ["c.toml:2: matrix[0].dtypes[0]: 'f23' given", "did you mean", "f32"]),
        ("[[matrix]]\nsizes = [64, 0]", ["matrix[0].sizes[1]", "'0'", "1x4096x4096"]),
        ("[[matrix]]\nsizes = ['3y4']", ["matrix[0].sizes[0]", "'3y4'"]),
        ("[[matrix]]\nsizes = [[64]]", ["matrix[0].sizes[0]: [64]", "expected int | str"]),
        ("[[matrix]]\nthreads = [0]", ["matrix[0].threads[0]: 0 given", '"all"']),
        ("[[matrix]]\nthreads = []", ["matrix[0].threads: an empty list"]),
        ("[[matrix]]\nkernels = []", ["matrix[0].kernels: an empty list"]),
        ("[[matrix]]\nisa = ['avx3']", ["matrix[0].isa[0]: 'avx3' given", "avx2"]),
        ("[[matrix]]\ncache = ['hot']", ["matrix[0].cache[0]: 'hot' given", "warm, cold"]),
        ("modules = ['gone.py']", ["c.toml:1: modules: belongs below [kernels]"]),
        ("kernels = ['relu/*']", ["c.toml:1: kernels: is a table, [kernels]", "[[matrix]]"]),
        ("[kernels]\nmodules = ['gone.py']", ["c.toml:2: kernels.modules[0]: no such file", "gone.py"]),
        ("[kernels]\nmodule = ['gone.py']", ["c.toml:2: kernels.module: unknown key; did you mean modules"]),
        ("[kernels]\nmodules = 3", ["c.toml:2: kernels.modules: 3", "expected list"]),
        ("expect = 3", ["c.toml:1: expect: 3", "expected list"]),
        ("[[expect]]\nname = 'x'", ["c.toml:1: expect[0]: no bound given; accepted: one of faster_than"]),
        ("[[expect]]\nmax_error = 1\n[[expect]]", ["c.toml:3: expect[1]: no bound given"]),
        ("[[expect]]\nmax_error = 'x'", ["c.toml:2: expect[0].max_error: 'x'", "expected float, got str"]),
        ("[[expect]]\nmax_err = 1", ["c.toml:2: expect[0].max_err: unknown key; did you mean max_error"]),
        ("[[expect]]\nfaster_than = 3", ["c.toml:2: expect[0].faster_than: 3", "expected str | table"]),
        (
            "[[expect]]\nfaster_than = { kernle = 'a' }",
            ["c.toml:2: expect[0].faster_than.kernle: unknown key", "kernel"],
        ),
        ("[[expect]]\nfaster_than = { threads = 0 }", ["c.toml:2: expect[0].faster_than.threads: 0 given"]),
        ("[[expect]]\nmax_error = 1\nwhere = 'n'", ["c.toml:3: expect[0].where: 'n' is no condition"]),
        ("[[expect]]\nmax_error = 1\nsizes = [1]", ["expect[0].sizes: unknown key; it belongs in the table 'matrix'"]),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_is_accepted(tmp_path: Path, text: str, parts: list[str]) -> None:
    message = refusal(tmp_path, text + "\n")
    for part in parts:
        assert part in message


def test_a_missing_file_and_one_that_is_no_text_are_configuration_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot read"):
        load(tmp_path / "gone.toml")
    (tmp_path / "b.toml").write_bytes(b"seed = \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "b.toml")


def test_modules_are_looked_up_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    config = load(written(tmp_path, "[kernels]\nmodules = ['mine.py']\n"))
    assert config.modules == (str(tmp_path / "mine.py"),)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
def test_whatever_the_text_is_loading_gives_a_config_or_a_config_error(tmp_path_factory, text: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.getbasetemp() / "fuzz.toml"
    path.write_bytes(text.encode())
    try:
        outcome: object = load(path)
    except ConfigError as error:
        outcome = error
    assert isinstance(outcome, Config) or str(path) in str(outcome)


@pytest.mark.parametrize("text", ["python_cap_s = 1" + "0" * 400, "seed = 1" + "0" * 5000, "a = " + "[" * 3000])
def test_absurd_numbers_and_nesting_are_configuration_errors(tmp_path: Path, text: str) -> None:
    refusal(tmp_path, text + "\n")


names = st.sampled_from(["*", "matmul/*", "relu/naive"])
rules = st.builds(
    Rule,
    name=st.text(max_size=5),
    kernel=names,
    dtype=st.sampled_from([UNSET, *DTYPE_BYTES]),
    threads=st.just(UNSET) | st.integers(1, 64),
    where=st.sampled_from(["", "n >= 512, causal = 1"]),
    faster_than=st.sampled_from(["relu/naive", Other(threads=1), Other(kernel="a/*", params={"causal": 0, "p": 0.5})]),
    by=st.just(UNSET) | st.floats(0.01, 100),
)
blocks = st.builds(
    Matrix,
    kernels=st.lists(names, min_size=1).map(tuple),
    dtypes=st.lists(st.sampled_from(list(DTYPE_BYTES))).map(tuple),
    sizes=st.lists(st.integers(1, 1 << 40) | st.just("1x2x3") | st.just("conv2d:1x2,3")).map(tuple),
    threads=st.lists(st.integers(1, 512) | st.just("all"), min_size=1).map(tuple),
    cache=st.lists(st.sampled_from(CACHE_STATES), min_size=1).map(tuple),
)
configs = st.builds(
    Config,
    seed=st.integers(0, 2**63 - 1),
    rounds=st.integers(1, 1000),
    effort=st.builds(Effort, sample_s=st.floats(0.001, 60), samples=st.integers(3, 1000)),
    python_cap_s=st.floats(0, 100),
    ceilings=st.booleans(),
    cases=st.lists(st.text(max_size=5)).map(tuple),
    matrix=st.lists(blocks, min_size=1, max_size=3).map(tuple),
    expect=st.lists(rules, max_size=3).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(configs)
def test_a_configuration_survives_the_journal(config: Config) -> None:
    assert from_dict(as_dict(config)) == config


@pytest.mark.parametrize("name", ["quick", "full", "ci"])
def test_the_shipped_configurations_load(name: str) -> None:
    assert load(CONFIGS / f"{name}.toml").rounds >= 6


def test_every_line_of_the_shipped_quick_configuration_is_explained() -> None:
    text = (CONFIGS / "quick.toml").read_text()
    assert sum("#" in line for line in text.splitlines()) >= 20


def test_parameters_of_a_matrix_are_read(tmp_path: Path) -> None:
    config = load(written(tmp_path, '[[matrix]]\nparams = { sparsity = [0.5, 0.9], mode = ["fast"] }\n'))
    assert config.matrix[0].params == {"sparsity": (0.5, 0.9), "mode": ("fast",)}
    assert from_dict(as_dict(config)) == config


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ("{ sparsity = [] }", "matrix[0].params.sparsity: an empty list given"),
        ("{ sparsity = 0.5 }", "matrix[0].params"),
        ("{ causal = [true] }", "matrix[0].params"),
        ("{ sparsity = [nan] }", "matrix[0].params.sparsity: nan given; accepted: numbers and words"),
        ('{ mode = ["a/b"] }', "matrix[0].params.mode: 'a/b' given; accepted: numbers and words"),
    ],
)
def test_parameters_that_cannot_be_are_answered_with_their_line(tmp_path: Path, params: str, complaint: str) -> None:
    assert f"c.toml:2: {complaint}" in refusal(tmp_path, f"[[matrix]]\nparams = {params}\n")
