"""A rule as data, which cases it is about, and in words."""

from fnmatch import fnmatchcase

from msgspec import UNSET, Struct, UnsetType

from kernelbench.expect.where import conditions
from kernelbench.model import Case, Param
from kernelbench.units import percent, ratio, seconds

BOUNDS = ("faster_than", "min_roof_fraction", "max_seconds", "max_error", "min_snr_db")
"""Keys of a rule of which it has exactly one."""


class Bound(Struct, frozen=True):
    """What a rule asks of one number of each of its cases."""

    key: str
    """One of ``BOUNDS``; says the unit: times as fast, share of the roof, seconds, the op's error metric, decibel."""
    limit: float
    than: str = ""
    """Whom the case must be faster than, in words."""

    @property
    def at_least(self) -> bool:
        """True when larger is better."""
        return not self.key.startswith("max_")

    @property
    def limit_text(self) -> str:
        """The limit with all its digits: "5x", "70%", "0.001 s"."""
        match self.key:
            case "faster_than":
                return f"{self.limit:g}x"
            case "min_roof_fraction":
                return f"{100 * self.limit:g}%"
            case "max_seconds":
                return f"{self.limit:g} s"
            case "min_snr_db":
                return f"{self.limit:g} dB"
        return f"{self.limit:g}"

    @property
    def text(self) -> str:
        """The bound in words: "at least 5x as fast as matmul/naive"."""
        match self.key:
            case "faster_than":
                return f"at least {self.limit_text} as fast as {self.than}"
            case "min_roof_fraction":
                return f"at least {self.limit_text} of its roof"
            case "max_seconds":
                return f"at most {self.limit_text} a call"
            case "min_snr_db":
                return f"signal at least {self.limit_text} above the error"
        return f"error at most {self.limit_text}"

    def show(self, value: float) -> str:
        """A value that the bound is about, in its unit."""
        match self.key:
            case "faster_than":
                return ratio(value)
            case "min_roof_fraction":
                return percent(value)
            case "max_seconds":
                return seconds(value)
            case "min_snr_db":
                return f"{value:.1f} dB"
        return f"{value:.2g}"


class Other(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a case must be faster than: the same case, but for what is named here."""

    kernel: str | UnsetType = UNSET
    """Glob on variant names; where several match, the case must be faster than each."""
    dtype: str | UnsetType = UNSET
    threads: int | UnsetType = UNSET
    isa: str | UnsetType = UNSET
    cache: str | UnsetType = UNSET
    params: dict[str, Param] = {}

    @property
    def text(self) -> str:
        """In words: "matmul/naive", "itself at t=1", "matmul/tiled at f32"."""
        words = [*_words(self), *(f"{name}={value}" for name, value in self.params.items())]
        whom = "itself" if isinstance(self.kernel, UnsetType) else self.kernel
        return f"{whom} at {', '.join(words)}" if words else whom


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One expectation: which cases it is about (all conditions must hold), and one bound."""

    name: str = ""
    """Stands before the rule in reports."""
    case: str = "*"
    """Glob on case ids."""
    kernel: str = "*"
    """Glob on variant names."""
    dtype: str | UnsetType = UNSET
    threads: int | UnsetType = UNSET
    isa: str | UnsetType = UNSET
    cache: str | UnsetType = UNSET
    where: str = ""
    """Conditions on dimensions, parameters and threads, as ``where.ACCEPTED`` says."""
    faster_than: str | Other | UnsetType = UNSET
    """Bound: the case it must be faster than; a text is the glob of its variant."""
    by: float | UnsetType = UNSET
    """How many times as fast, 1 when left out; goes with ``faster_than``."""
    min_roof_fraction: float | UnsetType = UNSET
    """Bound: least share of the roof (0.7 is 70%)."""
    max_seconds: float | UnsetType = UNSET
    """Bound: most seconds a call."""
    max_error: float | UnsetType = UNSET
    """Bound: largest error against the reference, in the op's own metric."""
    min_snr_db: float | UnsetType = UNSET
    """Bound: least signal-to-noise ratio against float64, decibel."""

    @property
    def bound(self) -> Bound:
        """The one bound. Raises ValueError for a rule without one, which ``problems`` refuses."""
        if not isinstance(self.faster_than, UnsetType):
            return Bound("faster_than", 1.0 if isinstance(self.by, UnsetType) else self.by, self.other.text)
        for key in BOUNDS:
            value = getattr(self, key)
            if not isinstance(value, UnsetType):
                return Bound(key, value)
        raise ValueError(f"the rule {self.name!r} has no bound; give it one of {', '.join(BOUNDS)}")

    @property
    def other(self) -> Other:
        """What a case must be faster than; names nothing for other bounds."""
        if isinstance(self.faster_than, UnsetType):
            return Other()
        return Other(kernel=self.faster_than) if isinstance(self.faster_than, str) else self.faster_than

    @property
    def text(self) -> str:
        """The rule in words, its name before it."""
        words = [*(glob for glob in (self.kernel, self.case) if glob != "*"), *_words(self)]
        whom = " ".join(words) or "every case"
        whole = f"{whom}{f' where {self.where}' if self.where else ''}: {self.bound.text}"
        return f"{self.name} ({whole})" if self.name else whole


def matches(rule: Rule, case: Case) -> bool:
    """True when the rule is about this case."""
    asked = ((rule.dtype, case.dtype), (rule.threads, case.threads), (rule.isa, case.isa), (rule.cache, case.cache))
    return (
        all(isinstance(wanted, UnsetType) or wanted == value for wanted, value in asked)
        and fnmatchcase(case.variant, rule.kernel)
        and fnmatchcase(case.id, rule.case)
        and all(condition.holds(case) for condition in conditions(rule.where))
    )


def is_other(wanted: Other, own: Case, case: Case) -> bool:
    """True when ``case`` is what ``own`` must be faster than: the same problem, but for what ``wanted`` names.

    Parameters must agree where both have them: the group of its weights is no matter of a variant without one.
    """
    settings = {**own.params, **wanted.params}
    asked = (
        (wanted.dtype, own.dtype, case.dtype),
        (wanted.threads, own.threads, case.threads),
        (wanted.isa, own.isa, case.isa),
        (wanted.cache, own.cache, case.cache),
    )
    return (
        case.shape == own.shape
        and _is_other_variant(wanted, own, case)
        and all(value == (mine if isinstance(given, UnsetType) else given) for given, mine, value in asked)
        and all(settings[name] == case.params[name] for name in settings.keys() & case.params.keys())
    )


def _is_other_variant(wanted: Other, own: Case, case: Case) -> bool:
    if isinstance(wanted.kernel, UnsetType):
        return (case.variant, case.tuned) == (own.variant, own.tuned)
    op = wanted.kernel.partition("/")[0]
    # "*/naive" is the naive rung of the same op; another op is meant only where it is spelled out.
    return (case.op == own.op or not set(op) & set("*?[")) and fnmatchcase(case.variant, wanted.kernel)


def _words(chosen: Rule | Other) -> list[str]:
    words = [word for word in (chosen.dtype, chosen.isa, chosen.cache) if not isinstance(word, UnsetType)]
    return [*words, *([] if isinstance(chosen.threads, UnsetType) else [f"t={chosen.threads}"])]
