"""What the parent and a worker process say to each other: one JSON object a line, over two private pipes.

The parent sends a ``Request``; the worker answers with any number of ``Stage`` notices and exactly one
other ``Reply``. A worker that dies instead of answering has crashed in the stage it last announced.
Nothing but msgspec and the model is imported, so that both sides can.
"""

from kernelbench.protocol.inspect import (
    Inspect as Inspect,
)
from kernelbench.protocol.inspect import (
    Inspected as Inspected,
)
from kernelbench.protocol.profile import (
    CHANGED as CHANGED,
)
from kernelbench.protocol.profile import (
    CallMemory as CallMemory,
)
from kernelbench.protocol.profile import (
    Dissect as Dissect,
)
from kernelbench.protocol.profile import (
    Dissected as Dissected,
)
from kernelbench.protocol.profile import (
    Timed as Timed,
)
from kernelbench.protocol.replies import (
    Broken as Broken,
)
from kernelbench.protocol.replies import (
    CaseFailed as CaseFailed,
)
from kernelbench.protocol.replies import (
    CaseInfo as CaseInfo,
)
from kernelbench.protocol.replies import (
    CaseMeasured as CaseMeasured,
)
from kernelbench.protocol.replies import (
    CatalogueReply as CatalogueReply,
)
from kernelbench.protocol.replies import (
    Ceilings as Ceilings,
)
from kernelbench.protocol.replies import (
    Compiled as Compiled,
)
from kernelbench.protocol.replies import (
    Described as Described,
)
from kernelbench.protocol.replies import (
    Opened as Opened,
)
from kernelbench.protocol.replies import (
    Ready as Ready,
)
from kernelbench.protocol.replies import (
    Reply as Reply,
)
from kernelbench.protocol.replies import (
    Slices as Slices,
)
from kernelbench.protocol.replies import (
    Stage as Stage,
)
from kernelbench.protocol.replies import (
    Waiting as Waiting,
)
from kernelbench.protocol.requests import (
    Burst as Burst,
)
from kernelbench.protocol.requests import (
    Catalogue as Catalogue,
)
from kernelbench.protocol.requests import (
    Compile as Compile,
)
from kernelbench.protocol.requests import (
    Describe as Describe,
)
from kernelbench.protocol.requests import (
    Exit as Exit,
)
from kernelbench.protocol.requests import (
    Measure as Measure,
)
from kernelbench.protocol.requests import (
    Open as Open,
)
from kernelbench.protocol.requests import (
    ProbeCeilings as ProbeCeilings,
)
from kernelbench.protocol.requests import (
    Request as Request,
)
from kernelbench.protocol.requests import (
    Shut as Shut,
)
from kernelbench.protocol.setup import (
    CODE_BYTES as CODE_BYTES,
)
from kernelbench.protocol.setup import (
    RESERVED_BYTES as RESERVED_BYTES,
)
from kernelbench.protocol.setup import (
    STACK_BYTES as STACK_BYTES,
)
from kernelbench.protocol.setup import (
    Effort as Effort,
)
from kernelbench.protocol.setup import (
    SharedMemory as SharedMemory,
)
from kernelbench.protocol.setup import (
    WorkerSetup as WorkerSetup,
)
