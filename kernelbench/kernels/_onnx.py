"""onnxruntime's product of 4-bit weights, MatMulNBits, on our operands: its session, bound to our memory.

The model holds our integers and steps; onnxruntime lays them out its own way when the session is made, ahead of
timing. Binding x and y to a session costs some microseconds, so it is done once for each pair of arrays.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import get_num_threads

INTEGERS, FLOATS = 4, 1
"""``accuracy_level``: x to 8-bit integers by groups of the weights' size, or all in f32."""


def _model(q: np.ndarray, steps: np.ndarray, n: int, group: int, level: int) -> bytes:
    """y[1,m] = x[1,n] times the transpose of q[m,groups*group] int8 with steps[m,groups]."""
    onnx = importlib.import_module("onnx")
    make, f32 = onnx.helper, onnx.TensorProto.FLOAT
    m, groups = steps.shape
    unsigned = (q + 8).astype(np.uint8).reshape(m, groups, group)
    packed = unsigned[:, :, 0::2] | (unsigned[:, :, 1::2] << 4)  # neighbours in one byte
    node = make.make_node(
        "MatMulNBits", ["x", "q", "steps"], ["y"], domain="com.microsoft",
        K=n, N=m, bits=4, block_size=group, accuracy_level=level,
    )  # fmt: skip
    constants = [onnx.numpy_helper.from_array(v, name) for v, name in ((packed, "q"), (steps.reshape(-1), "steps"))]
    ends = [[make.make_tensor_value_info(name, f32, [1, size])] for name, size in (("x", n), ("y", m))]
    domains = [make.make_opsetid("", 21), make.make_opsetid("com.microsoft", 1)]
    model = make.make_model(make.make_graph([node], "gemv", *ends, constants), opset_imports=domains)
    model.ir_version = 10
    made: bytes = model.SerializeToString()
    return made


class Product:
    """y = a x by a session of its own on as many threads as Numba may use."""

    def __init__(self, q: np.ndarray, steps: np.ndarray, n: int, group: int, level: int) -> None:
        self._bound: dict[tuple[int, int], Any] = {}
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        model = _model(q, steps, n, group, level)
        self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, x: np.ndarray, y: np.ndarray) -> None:
        """y[m] = a x[n], both f32 and kept alive by the caller for as long as this object is used."""
        key = (id(x), id(y))
        if key not in self._bound:
            binding = self._session.io_binding()
            binding.bind_input("x", "cpu", 0, np.float32, [1, x.size], x.ctypes.data)
            binding.bind_output("y", "cpu", 0, np.float32, [1, y.size], y.ctypes.data)
            # Holding both keeps their ids from being given to other arrays.
            self._bound[key] = (binding, x, y)
        self._session.run_with_iobinding(self._bound[key][0])


def _zeros(x: np.ndarray, y: np.ndarray) -> None:
    """y[m] of a matrix without columns, which MatMulNBits refuses."""
    y[:] = 0


def product(
    q: np.ndarray, steps: np.ndarray, n: int, group: int, level: int
) -> Callable[[np.ndarray, np.ndarray], None]:
    """What computes y[m] = a x[n] when called with (x, y), for a of integers q[m,groups*group] and steps[m,groups]."""
    return Product(q, steps, n, group, level) if n else _zeros
