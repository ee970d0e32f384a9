"""A document as a value: a title, facts, tables and notes of plain text, whatever it is written as."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

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
        The upper line of the head: cells over several columns, empty ones between.
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

    def is_group(self, row: tuple[Cell, ...]) -> bool:
        """Whether a row heads those below it."""
        return len(row) == 1 and row[0].columns == len(self.head)

    def named(self) -> tuple[str, ...]:
        """Return the columns by the whole of their heads, for formats with a single line of them."""
        upper = [cell.text for cell in self.over for _ in range(cell.columns)]
        return tuple(f"{over}: {name}" if over else name for over, name in zip(upper, self.head, strict=True))


@dataclass(frozen=True, slots=True)
class Document:
    """Everything one file holds; the notes stand below the tables."""

    title: str
    facts: tuple[tuple[str, str], ...]
    grids: tuple[Grid, ...]
    notes: tuple[Line, ...]


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
