"""What every page shares: one self-contained file that works offline and runs no code but its own.

Everything that comes from a measurement file is untrusted: the templates escape it, the data islands escape
``<``, and the Content-Security-Policy allows exactly the scripts of the page, by their hash, no network and no
evaluation of text. Vega therefore runs its expressions through its interpreter.
"""

import base64
import functools
import hashlib
from collections.abc import Sequence
from typing import Any

from kernelbench.remember import remembered
from kernelbench.report.theme import vega_version


def filled(template: str, scripts: Sequence[str], values: dict[str, Any]) -> str:
    """The page: ``template`` with ``values``, all escaped, and ``scripts``, which are code of ours and are not."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("kernelbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        **values,
        scripts=[Markup(script) for script in scripts],
        script_sources=" ".join(_hash(script) for script in scripts) or "'none'",
    )


def chart_scripts(*own: str) -> tuple[str, ...]:
    """Vega, then the page's ``own_scripts``."""
    return _bundle(), *own_scripts(*own)


def own_scripts(*names: str) -> tuple[str, ...]:
    """Scripts of the templates folder, in the order given."""
    from importlib.resources import files

    folder = files("kernelbench.report") / "templates"
    return tuple(_inline((folder / name).read_text(encoding="utf-8")) for name in names)


@functools.cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from vl-convert: about 0.9 MB, two seconds to build."""
    from importlib.metadata import version

    def build() -> str:
        import vl_convert

        bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=vega_version())
        return bundle

    key = {name: version(name) for name in ("altair", "vl-convert-python")}
    bundle = remembered("vega", key, str, build)
    assert isinstance(bundle, str), "building a bundle either works or raises"
    return _inline(bundle)


def _inline(script: str) -> str:
    """A script that cannot end its element early, with the line ends a browser hashes."""
    return script.replace("\r\n", "\n").replace("\r", "\n").replace("</script", "<\\/script")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
