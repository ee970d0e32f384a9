"""A document as a value: headings, paragraphs, tables and pictures, whatever it is written as."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from mesoevidence.charts.chart import Chart

Style = Literal["plain", "strong", "muted", "mark", "symbol"]


class Part(NamedTuple):
    """A run of text; a mark is a small raised letter, a symbol says what the word beside it says."""

    text: str
    style: Style = "plain"


Line = tuple[Part, ...]


class Cell(NamedTuple):
    """Lines of text over one column or several."""

    lines: tuple[Line, ...]
    columns: int = 1

    @property
    def text(self) -> str:
        """Every line as plain text."""
        return "\n".join("".join(part.text for part in line) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes
    ----------
    caption : str
        What it shows.
    over : tuple of Cell
        The upper line of the head: cells over several columns, empty ones between; or none.
    head : tuple of str
        A name for each column.
    body : tuple of tuple of Cell
        The rows; one with a single cell over all columns heads the rows below it.
    widths : tuple of float
        Of the columns, in parts of the whole.
    """

    caption: str
    over: tuple[Cell, ...]
    head: tuple[str, ...]
    body: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]

    @property
    def wide(self) -> bool:
        """Whether it asks for a page on its side."""
        return len(self.head) > 5

    @property
    def dense(self) -> bool:
        """Whether it asks for small letters."""
        return len(self.head) > 10

    def is_group(self, row: tuple[Cell, ...]) -> bool:
        """Whether a row heads those below it."""
        return len(row) == 1 and row[0].columns == len(self.head)

    def named(self) -> tuple[str, ...]:
        """Return the columns by the whole of their heads, for formats with a single line of them."""
        upper = [cell.text for cell in self.over for _ in range(cell.columns)] or [""] * len(self.head)
        return tuple(f"{over}: {name}" if over else name for over, name in zip(upper, self.head, strict=True))


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section, or with level 3 of a part of one."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of text, as long as it is."""

    parts: Line


@dataclass(frozen=True, eq=False)
class Picture:
    """A page of a chart.

    Attributes
    ----------
    chart : Chart
        What is shown, with its words.
    page : int
        Which of its pages, counted from 0.
    name : str
        Of the file, where pictures stand beside the document.
    dots : bool
        Whether a page of HTML holds it in dots, where lines weigh more.
    """

    chart: Chart
    page: int = 0
    name: str = ""
    dots: bool = False

    @property
    def width(self) -> int:
        """How wide it is on a page of HTML, in its units."""
        return int(96 * self.chart.figures[self.page].get_size_inches()[0] + 0.5)

    @cached_property
    def source(self) -> str:
        """An address that holds the picture itself."""
        kind, held = "svg+xml", re.sub("[ \n]+", " ", self.chart.svg(self.page)).encode()
        if self.dots:
            kind, held = "png", self.chart.png(self.page, 150)
        return f"data:image/{kind};base64,{base64.b64encode(held).decode()}"


Block = Heading | Paragraph | Grid | Picture


@dataclass(frozen=True, slots=True)
class Document:
    """Everything one file holds, in its order; `turned` is for pages on their side."""

    title: str
    blocks: tuple[Block, ...]
    turned: bool = False

    @property
    def grids(self) -> list[Grid]:
        """Its tables."""
        return [block for block in self.blocks if isinstance(block, Grid)]


def paragraph(*parts: Part | str) -> Paragraph:
    """Return a paragraph of parts; of text alone as plain ones."""
    return Paragraph(tuple(Part(part) if isinstance(part, str) else part for part in parts))


def named(name: str, text: str) -> Paragraph:
    """Return a paragraph that begins with what it is about."""
    return paragraph(Part(f"{name}: ", "strong"), text)


def pictures(chart: Chart, name: str = "", *, dots: bool = False) -> list[Picture]:
    """Return every page of a chart."""
    return [Picture(chart, page, name, dots) for page in range(len(chart.figures))]


def cell(*lines: str | Line, columns: int = 1) -> Cell:
    """Return a cell of lines, those that are text alone as plain parts; empty lines are left out."""
    kept = ((Part(line),) if isinstance(line, str) else line for line in lines if line)
    return Cell(tuple(kept), columns)


def places(row: tuple[Cell, ...]) -> Iterator[tuple[int, Cell]]:
    """Yield each cell of a row with the column it begins in."""
    at = 0
    for item in row:
        yield at, item
        at += item.columns
