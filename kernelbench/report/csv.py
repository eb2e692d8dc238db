"""The rows as CSV, one line a case, full precision. The columns are ``columns.FIELDS``."""

import csv
import io

from msgspec import UnsetType

from kernelbench.model import Result
from kernelbench.report.columns import FIELDS
from kernelbench.report.rows import rows
from kernelbench.report.text import safe_text

_FORMULA_STARTS = ("=", "+", "-", "@")


def render(result: Result) -> str:
    """The whole table with its header; an empty cell means "does not apply"."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows([_cell(getattr(row, field)) for field in FIELDS] for row in rows(result))
    return out.getvalue()


def _cell(value: object) -> str:
    match value:
        case UnsetType():
            return ""
        case tuple():
            return _guarded(" ".join(str(v) for v in value))
        case str():
            return _guarded(value)
    return repr(value)


def _guarded(text: str) -> str:
    """Text that no spreadsheet runs as a formula (OWASP "CSV injection": a leading quote)."""
    text = safe_text(text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA_STARTS) else text
