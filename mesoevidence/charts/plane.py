"""A chart with two axes: both drawn from measured ticks, with room for their names."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from mesoevidence.charts import kit
from mesoevidence.charts.axis import Axis, steps_between
from mesoevidence.charts.chart import having
from mesoevidence.charts.kit import Sheet, width_of, wrap
from mesoevidence.problems import EvidenceError

Span = tuple[float, float]
_SHAPES = (  # each of the area of the disc, so that areas may speak
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)), ((0, -1.37), (1.31, 1.02), (-1.31, 1.02)),
    ((0, 1.37), (1.31, -1.02), (-1.31, -1.02)), ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
)  # fmt: skip
_COLOURS = (kit.BLUE, kit.ORANGE, kit.VERMILLION, kit.GREEN, kit.PURPLE)


def plain(low: float, high: float, span: Span) -> Axis:
    """Return an axis of plain numbers between two points, its ticks round.

    >>> [label for _, label in plain(0, 1, (0, 3)).ticks]
    ['0', '0.2', '0.4', '0.6', '0.8', '1']
    """
    high = high if high > low else low + 1
    return Axis(low, high, *span, tuple(steps_between(low, high)), None)


@dataclass(frozen=True, slots=True)
class Plane:
    """Two axes: `across` from left to right, `up` from the bottom to the top of the sheet."""

    across: Axis
    up: Axis

    @property
    def floor(self) -> float:
        """The y of its lower edge: where `up` begins, or ends if it counts downward."""
        return max(self.up.left, self.up.right)

    def at(self, across: float, up: float) -> kit.Point:
        """Return where a pair of values stands."""
        return self.across.x(across), self.up.x(up)

    def line(self, points: Sequence[Span]) -> list[kit.Point]:
        """Return the points of a curve that lie on the plane."""
        kept = [(a, b) for a, b in points if self.across.holds(a) and self.up.holds(b)]
        return [self.at(a, b) for a, b in kept]

    def upright(self, sheet: Sheet, name: str) -> None:
        """Draw the upright axis, its name at the edge of the page."""
        size, x = sheet.printing.note, self.across.left
        sheet.line([(x, self.up.left), (x, self.up.right)], kit.INK, 0.8, layer=kit.MARKS, name="upright")
        for value, label in self.up.ticks:
            y = self.up.x(value)
            sheet.line([(x - 0.05, y), (x, y)], kit.INK, 0.8, layer=kit.MARKS, name="upright-tick")
            sheet.text(x - 0.08, y, label, size, align="right")
        for place, line in enumerate(wrap(name, abs(self.up.left - self.up.right), size)):
            middle = kit.PAD + (place + 0.5) * size * kit.LEADING, (self.up.left + self.up.right) / 2
            sheet.text(*middle, line, size, align="center", turned=True)

    def level(self, sheet: Sheet, name: str) -> float:
        """Draw the axis along the bottom with its name; return the y below."""
        size = sheet.printing.note
        y = self.across.draw(sheet, self.floor, size) + size * 0.012
        middle, room = (self.across.left + self.across.right) / 2, self.across.right - self.across.left
        return sheet.paragraph(middle, y, name, room, size, align="center") + 0.02


def left_of(up: Sequence[str], names: Sequence[str], high: float, size: float) -> float:
    """Return how far from the edge of the page an upright axis stands, with these labels and names."""
    lines = max(len(wrap(name, high, size)) for name in names)
    return kit.PAD + lines * size * kit.LEADING + 0.16 + max(width_of(label, size) for label in up)


def named(
    sheet: Sheet, discs: Sequence[tuple[kit.Point, float]], names: Sequence[str], inside: tuple[Span, Span],
    avoid: Sequence[kit.Point] = (),
) -> bool:  # fmt: skip
    """Write names beside discs, each where it meets no other mark; return whether all had room."""
    size = sheet.printing.note
    half, placed = size * 0.0085, 0
    marks = (*discs, *((point, 0.01) for point in avoid))
    taken = [Bbox.from_extents(x - r, y - r, x + r, y + r) for (x, y), r in marks]
    for (point, radius), name in sorted(zip(discs, names, strict=True), key=lambda item: -item[0][1]):
        wide = width_of(name, size)
        for turn in (0, 180, 315, 45, 225, 135, 270, 90):
            right, down = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            x, y = point[0] + right * (radius + 0.04 + wide / 2), point[1] + down * (radius + 0.03 + half)
            box = Bbox.from_extents(x - wide / 2, y - half, x + wide / 2, y + half)
            (left, edge), (top, bottom) = inside
            on_page = left <= box.x0 and box.x1 <= edge and top <= box.y0 and box.y1 <= bottom
            if on_page and not any(map(box.fully_overlaps, taken)):
                sheet.text(x, y, name, size, align="center", colour=kit.MUTED)
                taken.append(box)
                placed += 1
                break
    return placed == len(names)


def band(upper: Sequence[kit.Point], lower: Sequence[kit.Point]) -> Path:
    """Return the area between two lines."""
    points = [*upper, *reversed(lower)]
    return Path([*points, points[0]], closed=True)


def groups_of(table: pd.DataFrame, by: str | None) -> list[str]:
    """Return the group of each study by a column; one, without a name, where none is asked for."""
    if by is None:
        return [""] * len(table)
    having(table, [by])
    groups = table[by].astype(object).fillna("Not stated").astype(str).tolist()
    if len(set(groups)) > len(_COLOURS):
        raise EvidenceError(f"`{by}` has {len(set(groups))} values; {len(_COLOURS)} can be told apart")
    return groups


def point(sheet: Sheet, x: float, y: float, group: int, radius: float = 0.05, name: str = "study") -> None:
    """Draw a study in the shape and colour of its group."""
    if group == 0:
        sheet.disc(x, y, radius, _COLOURS[0], name=name)
        return
    outline = [(x + radius * right, y + radius * down) for right, down in _SHAPES[group - 1]]
    sheet.shape(outline, _COLOURS[group], name=name)
