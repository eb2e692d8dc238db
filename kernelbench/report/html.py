"""The report as one self-contained HTML file that works offline and runs no code but its own.

Everything that comes from a result file is untrusted: the template escapes it, the data island escapes
``<``, and the page's Content-Security-Policy allows exactly the two scripts written here, by their hash,
no network and no evaluation of text. Vega therefore runs its expressions through its interpreter.
"""

import base64
import functools
import hashlib
from collections.abc import Sequence

from msgspec import UnsetType

from kernelbench.model import Result
from kernelbench.remember import remembered
from kernelbench.report.chart import charts
from kernelbench.report.columns import COLUMNS, FLAGS, groups, interval
from kernelbench.report.facts import ceiling_lines, found, machine_facts, method
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import safe_text


def render(result: Result) -> str:
    """The whole page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    everything = rows(result)
    measured = [r for r in everything if r.status == "measured"]
    drawn = charts(everything, result.ceilings)
    environment = Environment(
        loader=PackageLoader("kernelbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = (_bundle(), _own_script()) if drawn else ()
    return environment.get_template("report.html.j2").render(
        created=safe_text(result.created),
        found=found(everything, result),
        spec=_spec(result, everything) if drawn else {},
        # Our own code, not data: the only two places that are not escaped.
        scripts=[Markup(s) for s in scripts],
        script_sources=" ".join(_hash(s) for s in scripts) or "'none'",
        columns=[COLUMNS[k] for k in _shown(measured)],
        groups=[(group.title, [_cells(row, _shown(measured)) for row in group.rows]) for group in groups(measured)],
        flags={f: FLAGS[f] for f in FLAGS if any(f in r.flags for r in measured)},
        unmeasured=_unmeasured(everything),
        ceilings=ceiling_lines(result.ceilings),
        machines=[machine_facts(m) for m in result.machines.values()],
        method=method(result, everything),
    )


def _spec(result: Result, everything: Sequence[Row]) -> dict[str, object]:
    from kernelbench.report.chart_html import spec

    return spec(charts(everything, result.ceilings))


def _shown(measured: Sequence[Row]) -> list[str]:
    return [k for k in COLUMNS if any(COLUMNS[k].text(r) for r in measured)]


def _cells(row: Row, keys: Sequence[str]) -> list[dict[str, str]]:
    """One table row: text, class, hover text and, for the roof fraction, the length of its bar."""
    cells = []
    for key in keys:
        cell = {"text": COLUMNS[key].text(row), "kind": "number" if COLUMNS[key].numeric else "word", "title": ""}
        if key == "variant":
            cell |= {"kind": "name", "title": safe_text(row.case_id)}
        elif key == "median":
            cell["title"] = interval(row)
        elif key == "fraction" and not isinstance(row.roof_fraction, UnsetType):
            cell["bar"] = f"{100 * min(1.0, row.roof_fraction):.1f}%"
            cell["title"] = safe_text(row.roof_name)
        elif key == "flags":
            cell["title"] = "; ".join(FLAGS[f] for f in row.flags if f in FLAGS)
        cells.append(cell)
    return cells


def _unmeasured(everything: Sequence[Row]) -> list[tuple[str, list[tuple[str, str]]]]:
    found_cases = []
    for status in ("failed", "skipped"):
        cases = [(safe_text(r.case_id), safe_text(r.reason)) for r in everything if r.status == status]
        if cases:
            found_cases.append((status.capitalize(), cases))
    return found_cases


@functools.cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from vl-convert: about 0.9 MB, two seconds to build."""
    from importlib.metadata import version

    def build() -> str:
        import altair
        import vl_convert

        schema = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
        bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=schema)
        return bundle

    key = {name: version(name) for name in ("altair", "vl-convert-python")}
    bundle = remembered("vega", key, str, build)
    assert isinstance(bundle, str), "building a bundle either works or raises"
    return _inline(bundle)


def _own_script() -> str:
    from importlib.resources import files

    return _inline((files("kernelbench.report") / "templates" / "report.js").read_text(encoding="utf-8"))


def _inline(script: str) -> str:
    """A script that cannot end its element early, with the line ends a browser hashes."""
    return script.replace("\r\n", "\n").replace("\r", "\n").replace("</script", "<\\/script")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
