"""Kernels of which it is known what holds them back, because each does too much of one thing and hardly anything else.

kind        what it does                                       truth: why this and nothing else holds it
one-chain   a sum, a Horner recurrence or a decay: one value   an addition waits 3-5 cycles for the one before, 10
            goes through every element, in order               times what L1 needs to deliver the element
wide-chain  polynomials of high degree, as a map or summed     20 or more FMA for each element loaded, and vectors of
            in as many chains as the compiler likes, in L1     independent ones: the FMA units are full
L1          triads, sums and scalings of arrays inside L1      0 to 2 operations in vectors for 2 to 4 loads and stores
L2, L3      the same beyond twice the nearer cache             the nearer level delivers more (that is why it exists)
DRAM        the same on four times the last cache and more     no cache holds them
gather      elements at random places of a table beyond L2     each element is a line of its own from L3 or DRAM
divide      divisions or square roots of elements in L1        a divider gives a result every 4 to 16 cycles a vector,
                                                               loads and stores take 2
dispatch    a few elements a call; or NumPy on a few dozen     the call costs more than the elements
imbalance   polynomials, more of them in later (or earlier)    the loop is halved by rows: one thread gets most of the
            rows, on 2 threads                                 work, and nothing but registers is used
"""

import random
import string
from dataclasses import dataclass

KINDS = ("one-chain", "wide-chain", "L1", "L2", "L3", "DRAM", "gather", "divide", "dispatch", "imbalance")

BYTES = {"f64": 8, "f32": 4}

MODULE = """import numpy as np
from numba import njit, prange

import kernelbench as kb


def inputs(shape, dtype, rng):
    n = shape["n"]
    kind = np.float64 if dtype == "f64" else np.float32
    {inputs}


def outputs(shape, dtype):
    return (((shape["n"],) if {whole} else (1,), dtype),)


def work(shape, dtype):
    n, s = shape["n"], 8 if dtype == "f64" else 4
    return kb.Work(model="declared", {flop}read_bytes=float({read}), write_bytes=float({write}),
                   working_set_bytes=float({read} + {write}))


def check(v):
    {unpack} = v.inputs
    exact = v.once("exact", lambda: np.asarray({exact}, dtype=np.float64).reshape(-1))
    scale = np.abs(exact) + {scale}
    return kb.close_to(v.outputs[0].reshape(-1), exact, scale, 1e-2 if v.dtype == "f32" else 1e-6,
                       metric="|error|", reference="NumPy float64")


{name} = kb.Op(name="{name}", summary="synthetic", dims=("n",), inputs=inputs, outputs=outputs, work=work, check=check)


@{name}.variant(style="{style}", dtypes=("{dtype}",){parallel})
{jit}
def {function}({arguments}):
{body}
"""


@dataclass(frozen=True)
class Synthetic:
    """One generated kernel."""

    kind: str
    op: str
    variant: str
    source: str
    """A module for ``--module``."""
    size: int
    dtype: str
    threads: int = 1


def generate(kind: str, rng: random.Random, levels: dict[str, int]) -> Synthetic:
    """A kernel of ``kind`` with a random name, form, type and size; ``levels``: bytes of L1, L2, L3."""
    parts = {"inputs": "", "whole": "True", "flop": "", "scale": "1e-3", "style": "naive", "parallel": "",
             "jit": "@njit(nogil=True)", "read": "n * s", "write": "n * s"}  # fmt: skip
    parts["dtype"] = dtype = rng.choice(("f64", "f32"))
    parts["name"], parts["function"] = _word(rng), _word(rng)
    makers = {
        "one-chain": _one_chain, "wide-chain": _wide, "gather": _gather, "divide": _divide, "dispatch": _dispatch,
        "imbalance": _imbalance,
    }  # fmt: skip
    if kind in makers:
        size, threads = makers[kind](rng, parts, levels, BYTES[dtype])
    else:
        size, threads = _streaming(kind, rng, parts, levels, BYTES[dtype])
    names = [name.strip() for name in parts["arguments"].split(",")][:-1]
    parts["unpack"] = ", ".join(names) + ","
    source = MODULE.format(**parts)
    return Synthetic(kind, parts["name"], f"{parts['name']}/{parts['function']}", source, size, dtype, threads)


def _word(rng: random.Random) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(5, 9))) + str(rng.randint(1, 99))


def _constant(rng: random.Random) -> str:
    return f"{rng.uniform(0.1, 0.9):.4f}"


def _arrays(count: int) -> str:
    made = ", ".join(["rng.uniform(0.5, 1.5, n).astype(kind)"] * count)
    return f"return ({made},)"


def _one_chain(rng: random.Random, parts: dict[str, str], levels: dict[str, int], s: int) -> tuple[int, int]:
    c = _constant(rng)
    step, exact = rng.choice((
        ("t += x[i]", "x.astype(float).sum()"),
        (f"t += x.dtype.type({c}) * x[i]", f"{c} * x.astype(float).sum()"),
        (f"t = t * x.dtype.type({c}) + x[i]", f"np.polyval(x[-400:].astype(float), {c})"),
    ))  # fmt: skip
    parts |= {
        "inputs": _arrays(1), "whole": "False", "arguments": "x, y", "exact": exact, "write": "s",
        "flop": 'flop=float(n), mix="add", ',
        "body": f"    t = x.dtype.type(0)\n    for i in range(x.size):\n        {step}\n    y[0] = t",
    }  # fmt: skip
    return int(rng.uniform(0.1, 8) * levels["L1"] / s), 1


def _wide(rng: random.Random, parts: dict[str, str], levels: dict[str, int], s: int) -> tuple[int, int]:
    degree = rng.randint(20, 36)
    text, exact = _horner(rng, degree)
    parts |= {
        "inputs": "return (rng.uniform(0.1, 0.7, n).astype(kind),)", "arguments": "x, y",
        "flop": f'flop=float({2 * degree} * n), mix="fma", ', "jit": '@njit(nogil=True, fastmath={"contract"})',
    }  # fmt: skip
    if rng.random() < 0.5:
        parts |= {"exact": exact, "body": f"    for i in range(x.size):\n        a = x[i]\n        y[i] = {text}"}
        return int(rng.uniform(0.15, 0.4) * levels["L1"] / s), 1
    parts |= {
        "exact": f"({exact}).sum()", "whole": "False", "write": "s",
        "jit": '@njit(nogil=True, fastmath={"contract", "reassoc", "nsz"})',
        "body": "    t = x.dtype.type(0)\n    for i in range(x.size):\n        a = x[i]\n"
                f"        t += {text}\n    y[0] = t",
    }  # fmt: skip
    return int(rng.uniform(0.2, 0.8) * levels["L1"] / s), 1


def _horner(rng: random.Random, degree: int) -> tuple[str, str]:
    constants = [_constant(rng) for _ in range(degree + 1)]
    text = f"x.dtype.type({constants[0]})"
    for constant in constants[1:]:
        text = f"({text}) * a + x.dtype.type({constant})"
    return text, f"np.polyval([{', '.join(constants)}], x.astype(float))"


def _streaming(kind: str, rng: random.Random, parts: dict[str, str], levels: dict[str, int], s: int) -> tuple[int, int]:
    c = _constant(rng)
    arrays, line, exact = rng.choice((
        (1, f"y[i] = x[i] * x.dtype.type({c})", f"x.astype(float) * {c}"),
        (2, "y[i] = x[i] + z[i]", "x.astype(float) + z"),
        (2, f"y[i] = x[i] + x.dtype.type({c}) * z[i]", f"x.astype(float) + {c} * z"),
        (3, "y[i] = x[i] + z[i] + w[i]", "x.astype(float) + z + w"),
    ))  # fmt: skip
    names = ["x", "z", "w"][:arrays]
    parts |= {
        "inputs": _arrays(arrays), "arguments": ", ".join([*names, "y"]), "exact": exact, "read": f"{arrays} * n * s",
        "flop": f'flop=float({max(1, arrays - 1)} * n), mix="add", ' if rng.random() < 0.5 else "",
        "body": f"    for i in range(x.size):\n        {line}",
    }  # fmt: skip
    low, high = {
        "L1": (0.35 * levels["L1"], 0.9 * levels["L1"]),
        "L2": (3 * levels["L1"], 0.7 * levels["L2"]),
        "L3": (2.5 * levels["L2"], 0.35 * levels["L3"]),
        "DRAM": (4 * levels["L3"], 6 * levels["L3"]),
    }[kind]
    return int(rng.uniform(low, high) / (s * (arrays + 1))), 1


def _gather(rng: random.Random, parts: dict[str, str], levels: dict[str, int], s: int) -> tuple[int, int]:
    index = rng.choice(("np.int64", "np.int32"))
    c = _constant(rng)
    parts |= {
        "inputs": f"return rng.uniform(0.5, 1.5, n).astype(kind), rng.permutation(n).astype({index})",
        "arguments": "x, at, y", "read": "n * (s + 8)",
    }  # fmt: skip
    if rng.random() < 0.5:
        parts |= {"exact": f"x[at].astype(float) * {c}",
                  "body": f"    for i in range(at.size):\n        y[i] = x[at[i]] * x.dtype.type({c})"}  # fmt: skip
    else:
        parts |= {"exact": "x.astype(float).sum()", "whole": "False", "write": "s",
                  "jit": '@njit(nogil=True, fastmath={"reassoc", "nsz"})',
                  "body": "    t = x.dtype.type(0)\n    for i in range(at.size):\n        t += x[at[i]]\n"
                          "    y[0] = t"}  # fmt: skip
    return int(rng.uniform(2 * levels["L2"], 2 * levels["L3"]) / s), 1


def _divide(rng: random.Random, parts: dict[str, str], levels: dict[str, int], s: int) -> tuple[int, int]:
    c = _constant(rng)
    arrays, line, exact = rng.choice((
        (1, f"y[i] = x.dtype.type({c}) / x[i]", f"{c} / x.astype(float)"),
        (1, "y[i] = np.sqrt(x[i])", "np.sqrt(x.astype(float))"),
        (1, f"y[i] = x[i] / (x[i] + x.dtype.type({c}))", f"x.astype(float) / (x.astype(float) + {c})"),
        (2, "y[i] = x[i] / z[i]", "x.astype(float) / z"),
    ))  # fmt: skip
    parts |= {
        "inputs": _arrays(arrays), "arguments": ", ".join([*["x", "z"][:arrays], "y"]), "exact": exact,
        "read": f"{arrays} * n * s", "jit": '@njit(nogil=True, error_model="numpy")',
        "body": f"    for i in range(x.size):\n        {line}",
    }  # fmt: skip
    return int(rng.uniform(0.2, 0.8) * levels["L1"] / (s * (arrays + 1))), 1


def _dispatch(rng: random.Random, parts: dict[str, str], levels: dict[str, int], s: int) -> tuple[int, int]:
    c = _constant(rng)
    parts |= {"inputs": _arrays(1), "arguments": "x, y", "exact": f"x.astype(float) * {c}"}
    if rng.random() < 0.5:
        parts |= {"jit": "", "style": "library", "body": f"    np.multiply(x, x.dtype.type({c}), out=y)"}
        return rng.randint(4, 200), 1
    parts["body"] = f"    for i in range(x.size):\n        y[i] = x[i] * x.dtype.type({c})"
    return rng.randint(2, 5), 1


def _imbalance(rng: random.Random, parts: dict[str, str], levels: dict[str, int], s: int) -> tuple[int, int]:
    power, most = rng.choice((2, 3, 4)), rng.randint(3000, 12000)
    place = rng.choice(("(i + 1) / n", "(n - i) / n"))
    c = _constant(rng)
    parts |= {
        "inputs": "return (rng.uniform(0.1, 0.7, n).astype(kind),)", "arguments": "x, y", "style": "parallel",
        "parallel": ", parallel=True", "jit": "@njit(nogil=True, parallel=True)",
        "exact": "[_row(v, i, x.size) for i, v in enumerate(x.astype(float))]",
        "body": "    n = x.size\n    for i in prange(n):\n        t = x[i]\n"
                f"        for _ in range(int({most} * ({place}) ** {power})):\n"
                f"            t = t * x[i] + x.dtype.type({c})\n        y[i] = t",
    }  # fmt: skip
    parts["inputs"] += (
        f"\n\n\ndef _row(v, i, n):\n    t = v\n    for _ in range(int({most} * ({place}) ** {power})):\n"
        f"        t = t * v + {c}\n    return t"
    )
    return rng.randint(40, 150), 2
