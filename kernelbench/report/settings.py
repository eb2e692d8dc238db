"""Shape and parameters of a case in words, and in the order of reports."""

from collections.abc import Iterable, Mapping

from kernelbench.model import Case, Param, case_id


def shape_text(case: Case) -> str:
    """The shape as the case id writes it, without parameters."""
    return case_id("v", "d", case.shape, 1).removeprefix("v/d/").removesuffix("/t=1")


def params_text(params: Mapping[str, Param]) -> str:
    """ "causal=1,group=32"; empty without parameters."""
    return ",".join(f"{name}={value}" for name, value in params.items())


def shared_params(cases: Iterable[Case]) -> dict[str, set[str]]:
    """Per op the parameters that all its cases have; the others are some variants' own."""
    shared: dict[str, set[str]] = {}
    for case in cases:
        if case.shape:  # a size that the op cannot use has neither shape nor parameters
            shared[case.op] = shared.get(case.op, set(case.params)) & set(case.params)
    return shared


def chosen(case: Case, names: set[str]) -> dict[str, Param]:
    """Its parameters among ``names``."""
    return {name: value for name, value in case.params.items() if name in names}


def order(params: Mapping[str, Param]) -> tuple[object, ...]:
    """A sort key: numbers in the order of numbers; a foreign file may hold words beside them."""
    return tuple((name, isinstance(value, str), value) for name, value in sorted(params.items()))
