"""What LLVM detects about the host it would compile for. Imports llvmlite's binding only, never Numba."""


def llvm_host() -> tuple[str, frozenset[str]]:
    """(CPU name such as "znver4", features that may be emitted here such as "avx512f").

    The features account for what the OS saves on a context switch (XCR0 on x86).
    Raises ImportError when llvmlite is not there, OSError when its library cannot be loaded, RuntimeError
    when LLVM cannot tell the features on this architecture.
    """
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return str(llvm.get_host_cpu_name()), frozenset(str(name) for name, present in features.items() if present)
