"""A chart that is a table: wrapped labels at the left, drawn parts beside them, notes below."""

from collections.abc import Callable, Sequence
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
    rows: Sequence[Any], label: Callable[[Any], str], head: str, parts: Sequence[Part], below: Below,
    size: Print, *, grey: bool = False, rows_a_page: int = 40, most: float = 3.2,
    bold: Callable[[Any], bool] = lambda _: False,
) -> tuple[Figure, ...]:  # fmt: skip
    """Return a figure a page; `below` draws what stands under the last row and returns the y after it."""
    widths = [width_of(head, size.body, True), *(width_of(label(row), size.body, bold(row)) for row in rows)]
    natural = min(max(widths), most)
    text, kept = _fitted(natural, head, list(parts), size)
    x, placed = kit.PAD + text, []
    for part in kept:
        placed.append(Box(x + part.gap, 0, x + part.gap + part.width, 0))
        x += part.gap + part.width
    wide, figures = size.width or max(x + kit.PAD, 3.2), []
    for start in range(0, len(rows), rows_a_page):
        sheet = Sheet(size, grey)
        y = _headed(sheet, head, kept, placed, wide)
        for row in rows[start : start + rows_a_page]:
            lines = wrap(label(row), text, size.body, bold(row))
            high = max(1.25 * size.row, len(lines) * size.body * 0.0195 + 0.09)
            sheet.stack(kit.PAD, y + high / 2, lines, bold=bold(row))
            for part, box in zip(kept, placed, strict=True):
                part.draw(sheet, row, box._replace(top=y, bottom=y + high))
            y += high
            sheet.line([(kit.PAD, y), (wide - kit.PAD, y)], kit.GRID, 0.5)
        if start + rows_a_page >= len(rows):
            y = below(sheet, y + 0.16, wide, placed)
        figures.append(sheet.figure(wide, y + kit.PAD))
    return tuple(figures)


def _fitted(natural: float, head: str, parts: list[Part], size: Print) -> tuple[float, list[Part]]:
    """Return the width of the labels and the parts that the page holds."""
    if size.width is None:
        return natural, parts
    least = min(natural, max(0.13 * size.body, width_of(max(head.split(), key=len), size.body, True)))
    while True:
        room = size.width - 2 * kit.PAD - sum(part.gap + part.width for part in parts)
        extra = max((part.optional for part in parts), default=0)
        if room >= min(natural, max(1.25, 0.2 * size.width)) or (not extra and room >= least):
            return room, parts
        if not extra:
            raise EvidenceError(f"{len(parts)} columns do not fit on a page of {size.width:.1f} inches")
        parts = [part for part in parts if part.optional < extra]


def _headed(sheet: Sheet, head: str, parts: Sequence[Part], placed: Sequence[Box], wide: float) -> float:
    """Write the headings, on two levels where they would touch; return the y of the rule under them."""
    body, size = sheet.printing.body, sheet.printing.note
    step, spots = body * 0.0195, []
    for part, box in zip(parts, placed, strict=True):
        pitch = part.width / len(part.heads)
        spots.append([(box.left + (place + 0.5) * pitch, text) for place, text in enumerate(part.heads)])
    tight = any(
        second[0] - first[0] < (width_of(first[1], size, True) + width_of(second[1], size, True)) / 2 + 0.04
        for group in spots for first, second in pairwise(group)
    )  # fmt: skip
    alone = [wrap(part.heads[0], part.width, size, True) for part in parts if len(part.heads) == 1]
    low = kit.PAD + (0.65 + max(tight, *(len(lines) - 1 for lines in alone), 0)) * step
    sheet.text(kit.PAD, low, head, bold=True)
    for part, group in zip(parts, spots, strict=True):
        for place, (x, text) in enumerate(group):
            lines = wrap(text, part.width, size, True) if len(group) == 1 else [text]
            for back, line in enumerate(reversed(lines)):
                y = low - step * (back + (tight and place % 2))
                sheet.text(x, y, line, size, align="center", bold=True)
    sheet.line([(kit.PAD, low + 0.75 * step), (wide - kit.PAD, low + 0.75 * step)], kit.INK, 1.0)
    return low + 0.75 * step
