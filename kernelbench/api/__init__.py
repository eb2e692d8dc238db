"""kernelbench from Python: look kernels up, time a function of your own, set it under this machine's roofs.

    import kernelbench as kb

    tiled = kb.get("matmul/tiled")
    c = tiled.call(tiled.make_inputs(256, "f32", seed=0))      # c[256,256]

    x, y = np.ones(4096, np.float32), np.empty(4096, np.float32)
    print(kb.measure(my_relu, (x, y), flop=4096, bytes=2 * 4 * 4096))
    # 41.2 ns best, 41.5 ns median of 12 samples; 99.4 GFLOP/s; 795 GB/s

    kb.roofline({"mine": kb.measure(...), "numpy": kb.measure(...)}).save("roofline.svg")
    print(kb.compare(np.add, my_add, (a, b, c)))

All of it is for trying things out: it runs in this process, on the operands it is given. What it leaves out of
`kernelbench run` and `ab` is verification, pinning, and the fresh processes that a comparison needs.
"""

from kernelbench.api.catalogue import get, variants
from kernelbench.api.measurement import Measurement
from kernelbench.api.paired import Paired, compare
from kernelbench.api.picture import Roofline, roofline
from kernelbench.api.roofs import MachineCard, machine_card
from kernelbench.api.timing import measure

__all__ = [
    "MachineCard",
    "Measurement",
    "Paired",
    "Roofline",
    "compare",
    "get",
    "machine_card",
    "measure",
    "roofline",
    "variants",
]
