"""What kernels do beside their work, said once for all cases of a kernel."""

from collections.abc import Callable, Mapping


class Remarks:
    """Remembers what has been said."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._said: set[tuple[str, str]] = set()

    def tell(self, variant: str, remarks: Mapping[str, str]) -> bool:
        """Say what is new of ``remarks`` (flag -> one line); True when threads of the kernel's go on in its worker."""
        for flag, text in remarks.items():
            if (variant, flag) not in self._said:
                self._said.add((variant, flag))
                self._warn(f"{variant} {text}")
        return "threads" in remarks
