"""The funnel plot: effects against their standard errors, and whether small studies say something else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mesoevidence.asymmetry import TrimFill, regression_test
from mesoevidence.charts import kit
from mesoevidence.charts.axis import Axis, axis, heading, number, probability, steps_between
from mesoevidence.charts.chart import Chart, sentence
from mesoevidence.charts.kit import Sheet, Width, printing, width_of
from mesoevidence.charts.plane import left_of
from mesoevidence.charts.rows import having
from mesoevidence.formulas import MEASURES
from mesoevidence.linear_model import critical
from mesoevidence.pooled import Pooled
from mesoevidence.problems import EvidenceError

_FEW = 10  # Sterne et al. (2011), BMJ 343:d4002: with fewer studies asymmetry cannot be told from chance
_BANDS = (
    (0.01, "0.01 < p ≤ 0.05", "#C3CAD1"),
    (0.05, "0.05 < p ≤ 0.10", "#98A3AE"),
    (0.1, "p > 0.10", "#FFFFFF"),
)
_OUTSIDE = ("p ≤ 0.01", "#EDEFF1")
_SHAPES = (
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)), ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
    ((0, 1.15), (1.1, -0.85), (-1.1, -0.85)), ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
)  # fmt: skip
_COLOURS = (kit.BLUE, kit.ORANGE, kit.VERMILLION, kit.GREEN, kit.PURPLE)
_POINT = 0.05


@dataclass(frozen=True, slots=True)
class Square:
    """Where the points stand: effects across, standard errors from 0 at the top downward."""

    across: Axis
    top: float
    bottom: float
    most: float

    def y(self, error: float) -> float:
        """Return where a standard error stands."""
        return self.top + error / self.most * (self.bottom - self.top)

    def side(self, centre: float, slope: float) -> list[kit.Point]:
        """Return a line from the top at `centre` outward, turned down where it meets the edge."""
        end = centre + slope * self.most
        if self.across.holds(end):
            return [(self.across.x(end), self.bottom)]
        edge = self.across.high if slope > 0 else self.across.low
        return [(self.across.x(edge), self.y((edge - centre) / slope)), (self.across.x(edge), self.bottom)]


def funnel(
    pooled: Pooled, *, by: str | None = None, fill: TrimFill | None = None, width: Width = "natural",
    grey: bool = False, title: str | None = None,
) -> Chart:  # fmt: skip
    """Draw a funnel plot, shaded where a single study would have p above 0.10, 0.05 and 0.01.

    Parameters
    ----------
    pooled : Pooled
        The studies and their pooled effect.
    by : str, optional
        The column of ``pooled.studies`` that marks the points, with five values at most.
    fill : TrimFill, optional
        Studies that a symmetric funnel would hold, from `trim_and_fill`; drawn hollow.
    width, grey, title
        As in `forest`.

    Returns
    -------
    Chart
        Under ten studies it says so; from ten on it prints Egger's test.

    Notes
    -----
    Contours around no effect: Peters et al. (2008), J Clin Epidemiol 61:991.

    Examples
    --------
    >>> import mesoevidence as me
    >>> frame = pd.DataFrame({"yi": [-0.9, -0.2, -0.5], "vi": [0.1, 0.05, 0.2]})
    >>> funnel(me.pool(frame, measure="RR"))
    <Chart: Funnel plot of 3 studies, risk ratio. Fewer than 10 studies (3): asymmetry cannot be judged.>
    """
    studies, size = pooled.studies, printing(width)
    groups = [""] * pooled.k
    for name in having(studies, [by] if by else []):
        groups = studies[name].astype(object).fillna("Not stated").astype(str).tolist()
    names, notes = list(dict.fromkeys(groups)), _notes(pooled, fill)
    if len(names) > len(_COLOURS):
        raise EvidenceError(f"`{by}` has {len(names)} values; a funnel tells {len(_COLOURS)} apart")
    sheet, beside = Sheet(size, grey), size.width is None or size.width > 5
    wide = size.width or 6.4
    right = wide - kit.PAD - (2.2 if beside else 0.1)
    square = _square(pooled, fill, right, size.note)
    _ground(sheet, square, pooled)
    for yi, vi, group in zip(pooled.yi, pooled.vi, groups, strict=True):
        _point(sheet, names.index(group), square.across.x(yi), square.y(math.sqrt(vi)))
    for yi, vi in () if fill is None else zip(fill.filled["yi"], fill.filled["vi"], strict=True):
        sheet.disc(square.across.x(yi), square.y(math.sqrt(vi)), _POINT, kit.WHITE, name="filled")
    y = _scales(sheet, square, pooled.measure)
    corner = (right + 0.3, square.top + 0.08) if beside else (kit.PAD, y + 0.1)
    below = _legend(sheet, names if by else [], pooled, fill, corner, wide)
    y = max(y + 0.1, 0 if beside else below + 0.05)
    for note in notes:
        y = sheet.paragraph(
            kit.PAD, y, note, wide - 2 * kit.PAD, colour=kit.INK if "Fewer" in note else kit.MUTED
        )
    return _chart(sheet, (wide, max(y, below) + kit.PAD), pooled, groups, notes, title)


def _chart(
    sheet: Sheet, page: tuple[float, float], pooled: Pooled, groups: list[str], notes: list[str],
    title: str | None,
) -> Chart:  # fmt: skip
    """Return the chart with its data and words."""
    spec, count = MEASURES[pooled.measure], f"{pooled.k} {'study' if pooled.k == 1 else 'studies'}"
    data = pd.DataFrame({
        "label": pooled.slab, "estimate": [spec.shown(yi) for yi in pooled.yi],
        "se": [math.sqrt(vi) for vi in pooled.vi], "group": groups,
    })  # fmt: skip
    rows = tuple(
        f"{label}, {spec.label} {number(estimate)}, standard error {number(se)}"
        for label, estimate, se in data[["label", "estimate", "se"]].itertuples(index=False)
    )
    alt = sentence(" ".join([f"Funnel plot of {count}, {spec.label}.", *notes]))
    return Chart(
        (sheet.figure(*page),), data, title or f"Funnel plot, {pooled.label or spec.label}", alt, rows
    )


def _square(pooled: Pooled, fill: TrimFill | None, right: float, size: float) -> Square:
    """Return the square, wide enough for every point, the null and the pooled effect."""
    filled = [] if fill is None else list(zip(fill.filled["yi"], fill.filled["vi"], strict=True))
    points = [*zip(pooled.yi, pooled.vi, strict=True), *filled]
    most = 1.05 * max(math.sqrt(vi) for _, vi in points)
    left = left_of([label for _, label in steps_between(0.0, most)], [""], 3.3, size)
    ends = [*(yi for yi, _ in points), pooled.estimate]
    ends += [] if MEASURES[pooled.measure].null is None else [0.0]
    room = max(0.06 * (max(ends) - min(ends)), 0.6 * most)
    across = axis(pooled.measure, (min(ends) - room, max(ends) + room), (left, right), size)
    return Square(across, kit.PAD + 0.06, kit.PAD + 0.06 + min(3.3, right - left), most)


def _ground(sheet: Sheet, square: Square, pooled: Pooled) -> None:
    """Draw the bands of p around the null, the null, and the pooled effect with its limits."""
    across, null = square.across, square.across.null
    sheet.box(
        across.left, square.top, across.right, square.bottom, _OUTSIDE[1] if null is not None else kit.WHITE
    )
    if null is not None:
        x = across.x(null)
        for p, _, colour in _BANDS:
            z = float(critical(1 - p, None))
            outline = [(x, square.top), *square.side(null, z), *reversed(square.side(null, -z))]
            sheet.shape(outline, colour, "none", layer=kit.BACK, name="p-band")
        sheet.line([(x, square.top), (x, square.bottom)], name="null")
    x, z = across.x(pooled.estimate), float(critical(pooled.level, None))
    for end in ((x, square.bottom), square.side(pooled.estimate, -z)[0], square.side(pooled.estimate, z)[0]):
        sheet.line([(x, square.top), end], kit.BLUE, 0.9, name="pooled", dashed=True)


def _point(sheet: Sheet, group: int, x: float, y: float, name: str = "study") -> None:
    """Draw a study in the shape and colour of its group."""
    if group == 0:
        sheet.disc(x, y, _POINT, _COLOURS[0], name=name)
        return
    outline = [(x + _POINT * right, y + _POINT * down) for right, down in _SHAPES[group - 1]]
    sheet.shape(outline, _COLOURS[group], name=name)


def _scales(sheet: Sheet, square: Square, measure: str) -> float:
    """Draw both axes with their names; return the y below."""
    across, size, spec = square.across, sheet.printing.note, MEASURES[measure]
    sheet.line([(across.left, square.top), (across.left, square.bottom)], layer=kit.MARKS, name="axis-error")
    for value, label in steps_between(0.0, square.most):
        sheet.line([(across.left - 0.05, square.y(value)), (across.left, square.y(value))], layer=kit.MARKS)
        sheet.text(across.left - 0.08, square.y(value), label, size, align="right")
    scale = {"identity": "", "exp": "log "}.get(spec.transform, "transformed ")
    name = f"Standard error of {scale}{spec.label}"
    name = name if width_of(name, size) < square.bottom - square.top else "Standard error"
    sheet.text(kit.PAD + 0.09, (square.top + square.bottom) / 2, name, size, align="center", turned=True)
    y = across.draw(sheet, square.bottom, size) + size * 0.011
    middle = (across.left + across.right) / 2
    return sheet.paragraph(middle, y, heading(measure), across.right - across.left, align="center")


def _legend(
    sheet: Sheet, names: Sequence[str], pooled: Pooled, fill: TrimFill | None, corner: kit.Point, wide: float
) -> float:
    """Explain bands, groups and lines; return the y below."""
    (x, y), step = corner, sheet.printing.note * 0.0245
    if MEASURES[pooled.measure].null is not None:
        y = sheet.paragraph(x, y, "Two-sided p of a study", wide - kit.PAD - x, bold=True)
        for text, colour in (*((text, colour) for _, text, colour in reversed(_BANDS)), _OUTSIDE):
            sheet.box(x, y - 0.055, x + 0.24, y + 0.055, colour, kit.INK, name="legend")
            sheet.text(x + 0.34, y, text, sheet.printing.note)
            y += step
    for group, name in enumerate(names):
        _point(sheet, group, x + 0.12, y, "legend")
        y = sheet.paragraph(x + 0.34, y, name, wide - kit.PAD - x - 0.34) + 0.2 * step
    sheet.line([(x, y), (x + 0.24, y)], kit.BLUE, 0.9, name="legend", dashed=True)
    sheet.text(x + 0.34, y, f"Pooled, {100 * pooled.level:g}% limits", sheet.printing.note)
    if fill is not None:
        y += step
        sheet.disc(x + 0.12, y, _POINT, kit.WHITE, name="legend")
        sheet.text(x + 0.34, y, "Filled in", sheet.printing.note)
    return y + step


def _notes(pooled: Pooled, fill: TrimFill | None) -> list[str]:
    """Return what the tests say: Egger's from ten studies on, and how many were filled in."""
    notes = []
    if pooled.k < _FEW:
        notes.append(f"Fewer than {_FEW} studies ({pooled.k}): asymmetry cannot be judged.")
    else:
        try:
            found = regression_test(pooled)
        except EvidenceError as error:
            notes.append(f"No test of asymmetry: {error}.")
        else:
            kind = "z" if found.df is None else f"t({found.df})"
            notes.append(
                f"Egger's regression test: {kind} = {number(found.statistic)} ({probability(found.p_value)})."
            )
    if fill is not None:
        estimate = number(MEASURES[pooled.measure].shown(fill.pooled.estimate))
        notes.append(
            f"Trim and fill: {fill.missing} on the {fill.side}; with them {estimate}. A sensitivity analysis."
        )
    return notes
