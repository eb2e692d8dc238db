"""The code by which a compiled loop enters a kernel: ``void enter(void *block)``, in LLVM's language.

The block holds a status word and then every argument, so shapes are data and one compilation serves every size.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a tree under test may be older than C functions
    from kernelbench.kernels._signature import Parameter, Signature

STATUS_OK = 0
STATUS_NONE = -2  # Numba's RETCODE_NONE: a function that returns nothing
STACK_ALIGN = 4096
"""The trampoline's frame begins on a page, so that a kernel's spills lie alike in every process. Left to chance, the
environment's size decides whether a spilled vector crosses a cache line (Mytkowicz et al., ASPLOS 2009)."""


def into_numba(target: int, kinds: Sequence[str], extra: int) -> str:
    """Into a Numba function at ``target`` whose arguments are words of the LLVM types ``kinds``.

    ``extra`` is the address of the number of extra steps; 0: code that cannot do any.
    """
    passed = ", ".join(["ptr %returned", "ptr %raised", *(f"{kind} %a{i}" for i, kind in enumerate(kinds))])
    return _enter(
        kinds,
        extra,
        """  %returned = alloca ptr
  %raised = alloca ptr""",
        f"""  %kernel = inttoptr i64 {target} to ptr
  %status = call i32 %kernel({passed})
  %fine = icmp eq i32 %status, {STATUS_OK}
  %none = icmp eq i32 %status, {STATUS_NONE}
  %good = or i1 %fine, %none
{_KEEP_STATUS}""",
    )


def into_c(target: int, signature: Signature, extra: int) -> str:
    """Into a C function at ``target``; its arguments are one word each. ``extra`` as for ``into_numba``."""
    parameters = signature.parameters
    kinds = ["double" if not p.pointer and p.dtype.kind == "f" else "i64" for p in parameters]
    converted = [line for i, parameter in enumerate(parameters) for line in _converted(i, parameter)]
    passed = ", ".join(f"{_c_type(p)} %c{i}" for i, p in enumerate(parameters))
    lines = [*converted, f"  %kernel = inttoptr i64 {target} to ptr"]
    if signature.returns_status:
        lines += [
            f"  %status = call i32 %kernel({passed})",
            f"  %good = icmp eq i32 %status, {STATUS_OK}",
            _KEEP_STATUS,
        ]
    else:
        lines += [f"  call void %kernel({passed})", "  ret void"]
    return _enter(kinds, extra, "", "\n".join(lines))


def _enter(kinds: Sequence[str], extra: int, slots: str, call: str) -> str:
    loads = [
        f"  %p{i} = getelementptr i64, ptr %arguments, i64 {i + 1}\n  %a{i} = load {kind}, ptr %p{i}"
        for i, kind in enumerate(kinds)
    ]
    return f"""
define void @enter(ptr %block) {{
entry:
  %page = alloca i8, align {STACK_ALIGN}
  store volatile i8 0, ptr %page
{slots}
{_EXTRA.format(address=extra) if extra else _NO_EXTRA}
{chr(10).join(loads)}
{call}
}}
"""


def _converted(index: int, parameter: Parameter) -> list[str]:
    """The word ``%a`` as what C takes, ``%c``."""
    kind, word, value = _c_type(parameter).split()[0], f"%a{index}", f"%c{index}"
    if parameter.pointer:
        return [f"  {value} = inttoptr i64 {word} to ptr"]
    if kind == "float":
        return [f"  {value} = fptrunc double {word} to float"]
    if kind in ("double", "i64"):
        return [f"  {value} = bitcast {kind} {word} to {kind}"]
    return [f"  {value} = trunc i64 {word} to {kind}"]


def _c_type(parameter: Parameter) -> str:
    """LLVM's type of a parameter, and for small integers how the caller fills the register up."""
    if parameter.pointer:
        return "ptr"
    kind: Any = parameter.dtype
    if kind.kind == "f":
        return "double" if kind.itemsize == 8 else "float"
    small = " signext" if kind.kind == "i" else " zeroext"
    return f"i{8 * kind.itemsize}{small if kind.itemsize < 8 else ''}"


_KEEP_STATUS = """  br i1 %good, label %done, label %bad
bad:
  %word = sext i32 %status to i64
  store i64 %word, ptr %block
  br label %done
done:
  ret void"""

_NO_EXTRA = "  %arguments = getelementptr i64, ptr %block, i64 0"
_FENCE = '  call void asm sideeffect "lfence", "~{{memory}}"()' if platform.machine() == "x86_64" else ""
_EXTRA = f"""{_FENCE}
  %steps = load i64, ptr inttoptr (i64 {{address}} to ptr)
  br label %step
step:
  %left = phi i64 [%steps, %entry], [%fewer, %again]
  %any = icmp sgt i64 %left, 0
  br i1 %any, label %again, label %ready
again:
  %seen = call i64 asm sideeffect "", "=r,0"(i64 %left)
  %fewer = sub i64 %seen, 1
  br label %step
ready:
  ; 0, which only the last step knows: the kernel cannot begin beside the steps.
  %nothing = call i64 asm sideeffect "", "=r,0"(i64 %left)
  %arguments = getelementptr i64, ptr %block, i64 %nothing"""
"""A chain of dependent subtractions before the kernel, whose arguments wait for its end. It begins where the call
before has ended (the fence, on both sides of a comparison): run beside the last instructions of that call, the same
steps cost a kernel of 150 ns 10% in one process and 5% in the next."""
