"""onnxruntime's product of 8-bit integers, MatMulInteger, on our operands: its session, bound to our memory.

b is a constant of the model; onnxruntime packs it its own way when the session is made, ahead of timing. Its fast
kernel takes a as unsigned bytes, so a is given as a + 128 with that zero point: the same integers, at ten times the
rate that signed bytes have there. On CPUs without a dot product of bytes (VNNI) that kernel's sums of two products
saturate at 16 bits, and most of the results are wrong; its option for precision makes b unsigned as well there, which
is exact and takes a third longer. Binding a and c to a session costs some microseconds, so it is done once for each
pair of arrays.
"""

import importlib
from typing import Any

import numpy as np
from numba import get_num_threads


def _model(b: np.ndarray) -> bytes:
    """c[m,n] int32 = (a[m,k] uint8 - 128) @ b[k,n] int8 for any m."""
    onnx = importlib.import_module("onnx")
    make, kinds = onnx.helper, onnx.TensorProto
    k, n = b.shape
    a = make.make_tensor_value_info("a", kinds.UINT8, ["m", k])
    c = make.make_tensor_value_info("c", kinds.INT32, ["m", n])
    node = make.make_node("MatMulInteger", ["a", "b", "zero"], ["c"])
    constants = [onnx.numpy_helper.from_array(x, name) for x, name in ((b, "b"), (np.array(128, np.uint8), "zero"))]
    graph = make.make_graph([node], "matmul", [a], [c], constants)
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 21)])
    model.ir_version = 10
    made: bytes = model.SerializeToString()
    return made


class IntegerProduct:
    """c = (a - 128) @ b by a session of its own on as many threads as Numba may use."""

    def __init__(self, b: np.ndarray) -> None:
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = runtime.InferenceSession(_model(b), options, providers=["CPUExecutionProvider"])
        self._bound: dict[tuple[int, int], Any] = {}

    def __call__(self, a: np.ndarray, c: np.ndarray) -> None:
        """c[m,n] int32 = (a[m,k] uint8 - 128) @ b, both kept alive by the caller for as long as this object is used."""
        if not a.shape[1]:
            c[...] = 0  # an empty sum, which MatMulInteger leaves unwritten
            return
        key = (id(a), id(c))
        if key not in self._bound:
            binding = self._session.io_binding()
            binding.bind_input("a", "cpu", 0, np.uint8, list(a.shape), a.ctypes.data)
            binding.bind_output("c", "cpu", 0, np.int32, list(c.shape), c.ctypes.data)
            # Holding both keeps their ids from being given to other arrays.
            self._bound[key] = (binding, a, c)
        self._session.run_with_iobinding(self._bound[key][0])
