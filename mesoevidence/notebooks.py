"""Notebooks, executed from top to bottom and turned into HTML that needs no script."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mistune
import nbformat
from markupsafe import Markup
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from mesoevidence import NOTICE
from mesoevidence.problems import EvidenceError
from mesoevidence.progress import Steps

SECONDS_PER_CELL = 300

_STYLE = re.compile(r"<style scoped>.*?</style>\s*", re.DOTALL)
_ABSENT = re.compile(r"<td>(?:&lt;NA&gt;|NaN|None)</td>")
_MARKDOWN = mistune.create_markdown(escape=True, plugins=["table"])
# Pictures of twice the size they are shown at, so that they stay sharp on paper and on small screens.
_SHARP = "--InlineBackend.figure_formats={'retina'}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of an executed notebook: its kind, its source, and what it shows."""

    kind: str
    source: str
    shown: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """An executed notebook: its name, its first heading, the question under it, and its cells."""

    name: str
    title: str
    question: Markup
    cells: tuple[Cell, ...]


def find(root: Path) -> list[Path]:
    """Return the notebooks beside a ledger, in their order."""
    return sorted((root / "notebooks").glob("[0-9]*.ipynb"))


def execute(path: Path, root: Path, steps: Steps) -> Page:
    """Return a notebook executed from top to bottom in the folder of its ledger.

    Raises
    ------
    EvidenceError
        When it cannot be read, or a cell fails or takes too long.
    """
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path.name} cannot be read as a notebook: {error}") from error
    steps.begin(f"executing {path.stem}", sum(cell.cell_type == "code" for cell in notebook.cells))
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(root)}},
        extra_arguments=[_SHARP],
        on_cell_executed=lambda **_: steps.advance(),
    )
    # Without it anybody on this machine could listen in, and the kernel warns of that on every run.
    client.create_kernel_manager().transport_encryption = "auto"
    try:
        client.execute()
    except CellExecutionError as error:
        message = f"{path.name}, cell {_failed_cell(notebook)} fails: {error.ename}: {error.evalue}"
        raise EvidenceError(message) from error
    except TimeoutError as error:
        raise EvidenceError(f"{path.name}: a cell takes longer than {SECONDS_PER_CELL} s") from error
    return page(notebook, path.stem)


def _failed_cell(notebook: NotebookNode) -> int:
    """Return the number, counted from 1, of the cell that raised."""
    for number, cell in enumerate(notebook.cells, 1):
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            return number
    return len(notebook.cells)


def page(notebook: NotebookNode, name: str) -> Page:
    """Return an executed notebook as what a page shows of it.

    Its first heading becomes the title of the page, and the notice is left out where it stands, since every
    page begins with both.
    """
    title, question = name, Markup()
    cells: list[Cell] = []
    for cell in notebook.cells:
        source = cell.source
        if cell.cell_type == "markdown" and not cells and source.startswith("# "):
            first, _, source = source.partition("\n")
            title, source = first.removeprefix("# ").strip(), source.strip()
            question = _html(source.split("\n\n")[0])
        if cell.cell_type != "markdown":
            cells.append(Cell(cell.cell_type, source, tuple(_outputs(cell))))
        elif source and " ".join(source.replace("\n>", "\n").removeprefix(">").split()) != NOTICE:
            cells.append(Cell("markdown", source, (_html(source),)))
    return Page(name, title, question, tuple(cells))


def _html(source: str) -> Markup:
    """Return Markdown as HTML; links from notebook to notebook become links from page to page."""
    text = str(_MARKDOWN(source)).replace('.ipynb"', '.html"')
    return Markup(text)  # noqa: S704 - the renderer escapes HTML


def _outputs(cell: NotebookNode) -> Iterator[Markup]:
    """Yield what a code cell shows, each output in the richest form a page without scripts can take."""
    alt = cell.metadata.get("alt", "")
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            yield Markup('<pre class="{}" tabindex="0">{}</pre>').format(output.name, output.text)
        elif output.output_type in ("display_data", "execute_result"):
            yield from _rich(output, alt)


def _rich(output: NotebookNode, alt: str) -> Iterator[Markup]:
    data = output.data
    if "text/html" in data:
        safe = Markup(_tidy(_joined(data["text/html"])))  # noqa: S704 - escaped by its maker
        yield Markup('<div class="output" tabindex="0">{}</div>').format(safe)
    elif "image/svg+xml" in data:
        content = base64.b64encode(_joined(data["image/svg+xml"]).encode()).decode()
        yield _picture(output, "svg+xml", content, alt)
    elif "image/png" in data:
        yield _picture(output, "png", "".join(_joined(data["image/png"]).split()), alt)
    elif "text/markdown" in data:
        yield _html(_joined(data["text/markdown"]))
    elif "text/plain" in data:
        yield Markup('<pre tabindex="0">{}</pre>').format(_joined(data["text/plain"]))


def _picture(output: NotebookNode, kind: str, content: str, alt: str) -> Markup:
    """Return a picture that stands in the page, at the width it was drawn for, with words for it."""
    about = output.metadata.get(f"image/{kind}", {})
    size = Markup(' width="{}"').format(about["width"]) if "width" in about else Markup()
    words = about.get("alt") or alt or _joined(output.data.get("text/plain", ""))
    return Markup('<figure tabindex="0"><img alt="{}"{} src="data:image/{};base64,{}"></figure>').format(
        words, size, kind, content
    )


def _tidy(text: str) -> str:
    """Return a table of pandas without its style sheet and border, with what is absent as an empty cell."""
    text = _STYLE.sub("", text).replace('<table border="1" class="dataframe">', '<table class="dataframe">')
    return _ABSENT.sub("<td></td>", text).replace("<th></th>", "<td></td>")


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
