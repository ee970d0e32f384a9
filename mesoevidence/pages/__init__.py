"""The templates of every page and document in HTML, and the only environment that fills them."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

# Nothing from any other server, no script at all; styles and pictures stand in the page itself.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, **values: object) -> str:
    """Return a template of this folder filled with values, each escaped."""
    return _PAGES.get_template(f"{name}.html.j2").render(**values)
