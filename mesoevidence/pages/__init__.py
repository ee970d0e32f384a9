"""The templates of every page and document in HTML, and the only environment that fills them."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mesoevidence.charts.certain import VERDICTS

# Nothing from any other server, no script at all; styles and pictures stand in the page itself.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.globals["looks"] = VERDICTS  # a verdict looks the same on a page as in a chart


def render(name: str, **values: object) -> str:
    """Return a template of this folder filled with values, each escaped."""
    return _PAGES.get_template(f"{name}.html.j2").render(**values)


def page(name: str, **values: object) -> str:
    """Return a page of the report, whose policy names its style and its script by their hashes.

    The outputs of a notebook bring styles in attributes; they are allowed there, and nowhere else.
    """
    more = {"find": f"; script-src {_hash('find.js')}", "notebook": "; style-src-attr 'unsafe-inline'"}
    policy = f"default-src 'none'; img-src data:; style-src {_hash('style.css')}{more.get(name, '')}"
    return render(name, policy=f"{policy}; base-uri 'none'; form-action 'none'", **values)


@cache
def _hash(name: str) -> str:
    """Return the hash of a file as it stands in a page."""
    text = _PAGES.get_template(name).render()
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
