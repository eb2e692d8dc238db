"""The gate tried on real kernels in real processes: identical code, and code with work put into it."""

import json
from pathlib import Path

from msgspec import UNSET

from kernelbench.store.files import read_result
from tests.integration.tool import KERNELS, Tool

ONE_KERNEL = '[[matrix]]\nkernels = ["double/sound", "double/sound_python"]\nsizes = [1024]\nthreads = [1]\n'


def test_every_kind_is_measured_and_a_slowdown_is_really_there(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(ONE_KERNEL)
    words = (
        "-c",
        "one.toml",
        "-m",
        KERNELS / "faulty.py",
        "-k",
        "double/sound*",
        "--rounds",
        "2",
        "--slowdowns",
        "100%",
    )
    done = tool.run("calibrate", *words, "--json", "-o", "found.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["cells"]
    assert {cell["case_id"]: len(cell.get("slowed", ())) for cell in cells} == {
        "double/sound/f32/n=1024/t=1": 1,
        "double/sound_python/f32/n=1024/t=1": 0,
    }
    file = read_result(tmp_path / "found.json")
    assert sorted(len(one.screen) for one in file.paired) == [2, 2, 2]
    (slower,) = (one for one in file.paired if one.slowed is not UNSET)
    # Twice the work, whatever the host: no disturbance hides half of a kernel in every round.
    assert max(one.log_ratio for one in slower.screen) > 0.2
