"""A chart that is a table: wrapped labels at the left, drawn parts beside them, notes below."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from mesoevidence.charts import kit
from mesoevidence.charts.kit import Print, Sheet, width_of, wrap
from mesoevidence.problems import EvidenceError


class Box(NamedTuple):
    """Where a part of a row stands."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> tuple[float, float]:
        """Return the middle of the box."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Part:
    """A drawn column: its headings, spread over its width, and what draws it for a row.

    Attributes
    ----------
    heads : tuple of str
        One heading, or several at equal distances.
    width : float
        In inches.
    draw : callable
        Takes the sheet, the row and the box.
    optional : int
        0 for what always stands; of the rest a narrow page leaves out the highest first.
    gap : float
        Room before it.
    """

    heads: tuple[str, ...]
    width: float
    draw: Callable[[Sheet, Any, Box], None]
    optional: int = 0
    gap: float = kit.GAP


Below = Callable[[Sheet, float, float, Sequence[Box]], float]


def grid(
    rows: Sequence[Any], label: Callable[[Any], str], head: str, parts: Sequence[Part], size: Print, *,
    below: Below = lambda _, y, *__: y, notes: Iterable[str] = (), grey: bool = False, rows_a_page: int = 40,
    most: float = 3.2, least: float = 0.0, bold: Callable[[Any], bool] = lambda _: False,
) -> tuple[Figure, ...]:  # fmt: skip
    """Return a figure a page; `below` draws what stands between the last row and the notes.

    Labels are at most so wide and rows at `least` so high, in inches.
    """
    widths = [width_of(head, size.body, True), *(width_of(label(row), size.body, bold(row)) for row in rows)]
    text, kept = _fitted(min(max(widths), most), list(parts), size)
    x, placed = kit.PAD + text, []
    for part in kept:
        placed.append(Box(x + part.gap, 0, x + part.gap + part.width, 0))
        x = placed[-1].right
    wide, figures = size.width or max(x + kit.PAD, 3.2), []
    for start in range(0, len(rows), rows_a_page):
        sheet = Sheet(size, grey)
        y = _headed(sheet, wrap(head, text, size.body, True), zip(kept, placed, strict=True))
        sheet.line([(kit.PAD, y), (wide - kit.PAD, y)], kit.INK, 1.0)
        for row in rows[start : start + rows_a_page]:
            lines = wrap(label(row), text, size.body, bold(row))
            high = max(least, 1.25 * size.row, len(lines) * size.body * kit.LEADING + 0.09)
            sheet.stack(kit.PAD, y + high / 2, lines, bold=bold(row))
            for part, box in zip(kept, placed, strict=True):
                part.draw(sheet, row, box._replace(top=y, bottom=y + high))
            y += high
            sheet.line([(kit.PAD, y), (wide - kit.PAD, y)], kit.GRID, 0.5)
        if start + rows_a_page >= len(rows):
            y = sheet.notes(notes, below(sheet, y + 0.16, wide, placed), wide)
        figures.append(sheet.figure(wide, y + kit.PAD))
    return tuple(figures)


def _fitted(natural: float, parts: list[Part], size: Print) -> tuple[float, list[Part]]:
    """Return the width of the labels and the parts that the page holds."""
    if size.width is None:
        return natural, parts
    while True:
        room = size.width - 2 * kit.PAD - sum(part.gap + part.width for part in parts)
        extra = max((part.optional for part in parts), default=0)
        least = 0.125 * size.body if not extra else max(1.25, 0.2 * size.width)
        if room >= min(natural, least):
            return room, parts
        if not extra:
            raise EvidenceError(f"{len(parts)} columns do not fit on a page of {size.width:.1f} inches")
        parts = [part for part in parts if part.optional < extra]


def _headed(sheet: Sheet, head: list[str], placed: Iterable[tuple[Part, Box]]) -> float:
    """Write the headings, on two levels where they would touch; return the y under them."""
    step, size, spots = sheet.printing.body * kit.LEADING, sheet.printing.note, []
    for part, box in placed:
        pitch = part.width / len(part.heads)
        halves = [width_of(text, size, True) / 2 for text in part.heads]
        tight = any(pitch < one + other + 0.04 for one, other in pairwise(halves))
        for place, text in enumerate(part.heads):
            raised = [""] if tight and place % 2 else []
            spots.append((box.left + (place + 0.5) * pitch, [*wrap(text, part.width, size, True), *raised]))
    y = kit.PAD + (max(len(head), *(len(lines) for _, lines in spots)) - 0.35) * step
    sheet.stack(kit.PAD, y, head, 1, bold=True)
    for x, lines in spots:
        sheet.stack(x, y, lines, 1, size=size, align="center", bold=True)
    return y + 0.75 * step
