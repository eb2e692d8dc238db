"""A stack of one's own choosing for what is timed.

Where a thread's stack lies is left to chance by the system, and it is part of a short kernel's speed: spilled registers
and return addresses meet the operands in the same sets of a cache. A matrix-vector product of 150 ns took 151 to 178 ns
on one core of one machine with nothing changed but the page of its stack, the same each time on the same page.
"""

import platform

_SWITCH = {
    "x86_64": (
        "movq %rsp, %rbx\\0Amovq $2, %rsp\\0Acallq *$1\\0Amovq %rbx, %rsp",
        "={rdi},r,r,0,~{rax},~{rbx},~{rcx},~{rdx},~{rsi},~{r8},~{r9},~{r10},~{r11},"
        + ",".join(f"~{{xmm{i}}}" for i in range(16))
        + ",~{memory},~{dirflag},~{fpsr},~{flags}",
    )
}
"""What switches, and what it leaves changed: rbx holds our own stack, since any function called keeps it (System V
ABI); the rest may be changed by any call."""


def available() -> bool:
    """True where switching is known for this architecture."""
    return platform.machine() in _SWITCH


def on_stack_ir() -> str:
    """IR of ``void on_stack(ptr function, ptr argument, ptr top)``: ``function(argument)`` on the stack below ``top``.

    ``top`` is a multiple of 16. Where switching is not known for the architecture it is called on the caller's stack.
    """
    if not available():
        return """
define void @on_stack(ptr %function, ptr %argument, ptr %top) {
  call void %function(ptr %argument)
  ret void
}
"""
    code, constraints = _SWITCH[platform.machine()]
    return f"""
define void @on_stack(ptr %function, ptr %argument, ptr %top) {{
  %ignored = call ptr asm sideeffect "{code}", "{constraints}"(ptr %function, ptr %top, ptr %argument)
  ret void
}}
"""
