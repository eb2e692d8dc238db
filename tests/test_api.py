"""``import kernelbench as kb``: cheap to import, and a small stable face for notebooks and kernel files."""

import doctest
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from statistics import median

import numba
import numpy as np
import pytest
from msgspec import UNSET

import kernelbench as kb
from kernelbench.api import catalogue, timing
from kernelbench.model import Work
from kernelbench.protocol import Effort

QUICK = Effort(sample_s=0.001, samples=3, round_s=0.02, warmup_s=0.002, patience_s=0.02)


@numba.njit
def doubles(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        y[i] = 2 * x[i]


@numba.njit
def sums(x):  # type: ignore[no-untyped-def]
    return x.sum()


@numba.njit
def raises_on_third_call(count):  # type: ignore[no-untyped-def]
    count[0] += 1
    if count[0] >= 3:
        raise ValueError("third call")


def modules_after(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(ended.stdout))


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = modules_after("import kernelbench as kb; kb.__version__; dir(kb)")
    assert not loaded & {"numba", "numpy", "msgspec", "click", "llvmlite", "kernelbench.api"}


def test_data_types_come_without_numba() -> None:
    loaded = modules_after("import kernelbench as kb; kb.Work, kb.Accuracy, kb.Effort, kb.UsageError")
    assert not loaded & {"numba", "numpy"}


@pytest.mark.parametrize("name", kb.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(kb, name)
    assert name in dir(kb)


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"'kernelbench' has no attribute 'mesure'; it has .*measure"):
        kb.mesure  # noqa: B018


def test_the_catalogue_is_there_by_name() -> None:
    known = kb.variants()
    assert known["matmul/tiled"] is kb.get("matmul/tiled")
    assert all(name == variant.name for name, variant in known.items())


def test_an_unknown_variant_is_answered_with_near_ones() -> None:
    with pytest.raises(kb.UsageError, match=r"no variant is called 'matmul/tilled'; did you mean matmul/tiled"):
        kb.get("matmul/tilled")


def test_a_variant_can_be_called_on_inputs_it_makes() -> None:
    relu = kb.get("relu/vectorized")
    inputs = relu.make_inputs(9, "f32", seed=2)
    assert np.array_equal(relu.call(inputs), np.maximum(inputs.arrays[0], 0))


def test_a_product_can_be_called_on_a_named_shape() -> None:
    tiled = kb.get("matmul/naive")
    inputs = tiled.make_inputs({"m": 2, "n": 3, "k": 4}, "f64", seed=2)
    np.testing.assert_allclose(tiled.call(inputs), inputs.arrays[0] @ inputs.arrays[1])


def test_a_numba_function_is_timed_without_the_call_from_python() -> None:
    x, y = np.arange(64.0), np.zeros(64)
    found = kb.measure(doubles, (x, y), flop=64, bytes=1024, effort=QUICK)
    assert not found.includes_python_call
    assert np.array_equal(y, 2 * x)


def test_anything_else_is_timed_with_the_call_from_python_and_says_so() -> None:
    found = kb.measure(np.negative, (np.ones(8), np.empty(8)), effort=QUICK)
    assert found.includes_python_call
    assert "includes the call from Python" in str(found)


def test_samples_are_seconds_per_call_and_best_is_the_least_of_them() -> None:
    found = kb.measure(doubles, (np.ones(64), np.zeros(64)), effort=QUICK)
    assert len(found.samples_s) == 3
    assert found.best_s == min(found.samples_s)
    assert found.median_s == median(found.samples_s)
    assert min(found.samples_s) * found.calls_per_sample >= QUICK.sample_s * (1 - 1e-9), "of several slices together"


WORK = Work("declared", flop=4000, read_bytes=8000)


def measurement(**fields: object) -> kb.Measurement:
    made = {"best_s": 2e-6, "median_s": 2.5e-6, "samples_s": (2e-6, 2.5e-6, 3e-6), "calls_per_sample": 100}
    return kb.Measurement(**{**made, "includes_python_call": False, "disturbed_samples": 0, **fields})


def test_rates_are_of_the_best_sample() -> None:
    found = measurement(work=WORK)
    assert (found.gflops, found.gbps) == (pytest.approx(2.0), pytest.approx(4.0))


def test_rates_of_what_was_not_given_are_absent() -> None:
    assert (measurement().gflops, measurement().gbps) == (UNSET, UNSET)


def test_a_measurement_reads_as_one_line() -> None:
    found = measurement(work=WORK, disturbed_samples=1)
    assert str(found) == "2.00 us best, 2.50 us median of 3 samples; 2.00 GFLOP/s; 4.00 GB/s; 1 disturbed"


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf")])
def test_work_must_be_a_positive_number(bad: float) -> None:
    with pytest.raises(kb.UsageError, match="must be above 0 and finite; leave it out when it is not known"):
        kb.measure(doubles, (np.ones(2), np.ones(2)), flop=bad)


def test_a_numba_function_that_returns_a_value_is_refused_with_the_way_out() -> None:
    with pytest.raises(kb.UsageError, match=r"^sums: .* returns float64\. To time it as called from Python, pass"):
        kb.measure(sums, (np.ones(3),))


def test_a_numba_function_that_returns_a_value_can_be_timed_behind_a_lambda() -> None:
    assert kb.measure(lambda: sums(np.ones(3)), effort=QUICK).includes_python_call


def test_what_the_function_raises_when_first_called_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        kb.measure(lambda: 1 / 0)


def test_an_exception_in_a_later_compiled_call_is_not_timed_as_fast() -> None:
    with pytest.raises(kb.UsageError, match="raises_on_third_call raised an exception in a timed call"):
        kb.measure(raises_on_third_call, (np.zeros(1, np.int64),), effort=QUICK)


def test_what_a_call_does_is_said_once() -> None:
    with pytest.raises(kb.UsageError, match="leave flop and bytes out beside it"):
        kb.measure(doubles, (np.ones(2), np.ones(2)), flop=2, work=WORK)


def test_a_c_function_is_timed_without_the_call_from_python() -> None:
    mapped = (line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines())
    libc = next((name for name in mapped if "/libc.so" in name or "/libc-" in name), "")
    if not libc:
        pytest.skip("no C library that is mapped by name")
    x, y = np.arange(64.0), np.zeros(64)
    copies = kb.c_function(libc, "memcpy", "void(void *to, const void *from, int64_t size)")
    found = kb.measure(copies, (y, x, x.nbytes), effort=QUICK)
    assert not found.includes_python_call
    assert np.array_equal(y, x)


def test_what_cannot_be_called_is_told() -> None:
    with pytest.raises(kb.UsageError, match="fn=3 cannot be called"):
        kb.measure(3, (1,))  # type: ignore[arg-type]


def test_a_single_array_in_place_of_a_tuple_is_told() -> None:
    with pytest.raises(kb.UsageError, match=r"args is one array; give a tuple .* \(x,\)"):
        kb.measure(np.negative, np.ones(3))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"dtype": "float"}, "dtype='float' is not a number type; it may be f64, f32"), ({"threads": 0}, "1 or more")],
)
def test_what_judges_it_must_exist(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(kb.UsageError, match=said):
        kb.measure(doubles, (np.ones(2), np.ones(2)), **wrong)  # type: ignore[arg-type]


def test_a_measurement_knows_name_type_and_working_set() -> None:
    found = kb.measure(doubles, (np.ones(64), np.zeros(64)), effort=QUICK)
    assert (found.name, found.dtype, found.work.working_set_bytes) == ("doubles", "f64", 1024)


def test_what_a_function_returns_belongs_to_its_working_set() -> None:
    found = kb.measure(np.negative, (np.ones(64, np.float32),), effort=QUICK, name="minus")
    assert (found.name, found.work.working_set_bytes) == ("minus", 512)


@pytest.mark.parametrize("module", [catalogue, timing])
def test_the_examples_in_the_docstrings_are_right(module: object) -> None:
    found = doctest.testmod(module, extraglobs={"kb": kb, "np": np})  # type: ignore[arg-type]
    assert found.failed == 0
    assert found.attempted > 0


def test_no_public_name_is_that_of_a_module_which_would_take_its_place_when_imported() -> None:
    modules = {one.name for one in pkgutil.iter_modules(kb.__path__)}
    assert not modules & set(kb.__all__)
