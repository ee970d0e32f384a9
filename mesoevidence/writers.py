"""Documents written in the form that a file's name asks for."""

from collections.abc import Callable, Mapping
from csv import QUOTE_NONNUMERIC
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mesoevidence import escape, files, pages
from mesoevidence.documents import Cell, Document, Grid, Heading, Line, Paragraph, Picture, places
from mesoevidence.excel import excel
from mesoevidence.latex import latex
from mesoevidence.problems import EvidenceError
from mesoevidence.word import word

if TYPE_CHECKING:
    import pandas as pd


def write(document: Document, path: Path) -> None:
    """Write a document in the form that the suffix of its path names.

    Markdown and LaTeX name their pictures, which are written beside them.

    Raises
    ------
    EvidenceError
        When there is no such form, or the disk refuses.
    """
    if path.suffix not in WRITERS:
        known = ", ".join([*WRITERS, ".csv"])
        raise EvidenceError(
            f"nothing is written as {path.suffix or 'a file without suffix'!r}; there are {known}"
        )
    for block in document.blocks:
        if path.suffix in _BESIDE and isinstance(block, Picture) and block.page == 0:
            block.chart.save(path.with_name(f"{block.name}{_BESIDE[path.suffix]}"))
    files.write(path, WRITERS[path.suffix](document))


def csv(frame: "pd.DataFrame") -> str:
    """Return a table as CSV: text quoted, and no cell that a spreadsheet takes for a formula."""
    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype == "string":
            safe[name] = safe[name].map(escape.cell, na_action="ignore")
    return str(safe.to_csv(index=False, quoting=QUOTE_NONNUMERIC, lineterminator="\n"))


def html(document: Document) -> str:
    """Return a page that stands alone."""
    return pages.render("document", document=document, policy=pages.POLICY, **_SHOWN, bare=True)


def fragment(document: Document, *, bare: bool = False) -> str:
    """Return a document as a part of another page, or of a notebook; bare, where the page has the style."""
    return pages.render("findings", document=document, **_SHOWN, bare=bare)


def markdown(document: Document) -> str:
    """Return a document in GitHub's Markdown."""
    shown = [_MARKDOWN[type(block)](block) for block in document.blocks]
    return "\n\n".join([f"# {escape.markdown(document.title)}", *shown]) + "\n"


def _markdown_heading(heading: Heading) -> str:
    return f"{'#' * heading.level} {escape.markdown(heading.text)}"


def _markdown_picture(picture: Picture) -> str:
    """Return a page of a chart that stands beside the document, as `Chart.save` names it."""
    further = f"-{picture.page + 1}" if picture.page else ""
    return f"![{escape.markdown(picture.chart.alt)}]({picture.name}{further}{_BESIDE['.md']})"


def _markdown_table(grid: Grid) -> str:
    head = [escape.markdown(name) for name in grid.named()]
    rows = [head, ["---"] * len(head)]
    rows += [[_markdown_cell(item) for item in _spread(row)] for row in grid.body]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"**{escape.markdown(grid.caption)}**\n\n{table}"


def _spread(row: tuple[Cell, ...]) -> list[Cell]:
    """Return a row with a cell for each column; those that another one covers are empty."""
    return [part for item in row for part in (item, *[Cell(())] * (item.columns - 1))]


def _markdown_cell(item: Cell) -> str:
    return "<br>".join(map(_markdown_line, item.lines))


def _markdown_line(line: Line) -> str:
    shapes = {"strong": "**{}**", "mark": "<sup>{}</sup>"}
    parts = []
    for part in line:
        text = escape.markdown(part.text.strip(" "))  # no mark of Markdown holds beside a blank
        lead, tail = (" " if part.text.startswith(" ") else ""), (" " if part.text.endswith(" ") else "")
        parts.append(f"{lead}{shapes.get(part.style, '{}').format(text)}{tail}" if text else lead)
    return "".join(parts)


_BESIDE: Mapping[str, str] = MappingProxyType({".md": ".svg", ".tex": ".pdf"})
_SHOWN: Mapping[str, Any] = MappingProxyType({"places": places, "kind": lambda block: type(block).__name__})
_MARKDOWN: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        Heading: _markdown_heading,
        Paragraph: lambda paragraph: _markdown_line(paragraph.parts),
        Grid: _markdown_table,
        Picture: _markdown_picture,
    }
)
WRITERS: Mapping[str, Callable[[Document], str | bytes]] = MappingProxyType(
    {".html": html, ".md": markdown, ".tex": latex, ".docx": word, ".xlsx": excel}
)
