"""The funnel plot: effects against their standard errors, and whether small studies say something else."""

import math
from collections.abc import Iterator
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from mesoevidence.asymmetry import TrimFill, regression_test
from mesoevidence.charts import kit
from mesoevidence.charts.axis import Axis, axis, heading, number, probability, steps_between
from mesoevidence.charts.chart import Chart, sentence
from mesoevidence.charts.kit import Sheet, Width, printing
from mesoevidence.charts.plane import Plane, Span, groups_of, left_of, point
from mesoevidence.formulas import MEASURES
from mesoevidence.linear_model import critical
from mesoevidence.pooled import Pooled
from mesoevidence.problems import EvidenceError

_FEW = 10  # Sterne et al. (2011), BMJ 343:d4002: with fewer studies asymmetry cannot be told from chance
_BANDS = (
    (0.01, "0.01 < p ≤ 0.05", "#C3CAD1"), (0.05, "0.05 < p ≤ 0.10", "#98A3AE"), (0.1, "p > 0.10", kit.WHITE),
)  # fmt: skip
_OUTSIDE = ("p ≤ 0.01", "#EDEFF1")
_POINT = 0.05


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
    groups, size = groups_of(pooled.studies, by), printing(width)
    names, notes = list(dict.fromkeys(groups)), [*_notes(pooled, fill)]
    filled = [] if fill is None else list(zip(fill.filled["yi"], fill.filled["vi"], strict=True))
    sheet, wide = Sheet(size, grey), size.width or 6.4
    beside = wide > 5
    plane = _plane(pooled, filled, wide - kit.PAD - (2.2 if beside else 0.1), size.note)
    _ground(sheet, plane, pooled)
    for yi, vi, group in zip(pooled.yi, pooled.vi, groups, strict=True):
        point(sheet, *plane.at(yi, math.sqrt(vi)), names.index(group))
    for yi, vi in filled:
        sheet.disc(*plane.at(yi, math.sqrt(vi)), _POINT, kit.WHITE, name="filled")
    plane.upright(sheet, _error(pooled))
    y = plane.level(sheet, heading(pooled.measure)) + 0.1
    corner = (plane.across.right + 0.3, plane.up.left + 0.08) if beside else (kit.PAD, y)
    below = _legend(sheet, names if by else [], pooled, fill is not None, corner, wide)
    few = pooled.k < _FEW  # that nothing can be judged is said in ink, not in grey
    y = sheet.notes(notes[:1] if few else [], y if beside else below, wide, kit.INK)
    y = max(sheet.notes(notes[1:] if few else notes, y, wide), below)
    return _chart(sheet.figure(wide, y + kit.PAD), pooled, groups, notes, title)


def _chart(figure: Figure, pooled: Pooled, groups: list[str], notes: list[str], title: str | None) -> Chart:
    """Return the chart with its data and words."""
    spec, count = MEASURES[pooled.measure], f"{pooled.k} {'study' if pooled.k == 1 else 'studies'}"
    data = pd.DataFrame({
        "label": pooled.slab, "estimate": map(spec.shown, pooled.yi), "se": map(math.sqrt, pooled.vi),
        "group": groups,
    })  # fmt: skip
    rows = [
        f"{label}, {spec.label} {number(estimate)}, standard error {number(se)}"
        for label, estimate, se, _ in data.itertuples(index=False)
    ]
    alt = sentence(" ".join([f"Funnel plot of {count}, {spec.label}.", *notes]))
    return Chart((figure,), data, title or f"Funnel plot, {pooled.label or spec.label}", alt, tuple(rows))


def _error(pooled: Pooled) -> str:
    """Return the name of the upright axis."""
    spec = MEASURES[pooled.measure]
    scale = {"identity": "", "exp": "log "}.get(spec.transform, "transformed ")
    return f"Standard error of {scale}{spec.label}"


def _plane(pooled: Pooled, filled: list[Span], right: float, size: float) -> Plane:
    """Return the plane: standard errors from 0 downward, and every point, the null and the effect across."""
    points = [*zip(pooled.yi, pooled.vi, strict=True), *filled]
    most = 1.05 * max(math.sqrt(vi) for _, vi in points)
    ends = [*(yi for yi, _ in points), pooled.estimate]
    ends += [] if MEASURES[pooled.measure].null is None else [0.0]
    room = max(0.06 * (max(ends) - min(ends)), 0.6 * most)
    ticks, top = tuple(steps_between(0.0, most)), kit.PAD + 0.06
    left = left_of([label for _, label in ticks], [_error(pooled)], 2.5, size)
    across = axis(pooled.measure, (min(ends) - room, max(ends) + room), (left, right), size)
    return Plane(across, Axis(0.0, most, top, top + min(3.3, right - left), ticks, None))


def _side(plane: Plane, centre: float, z: float) -> list[kit.Point]:
    """Return the end of the line `z` errors from a centre, turned down where it meets the edge."""
    most, edge = plane.up.high, plane.across.high if z > 0 else plane.across.low
    if plane.across.holds(centre + z * most):
        return [plane.at(centre + z * most, most)]
    return [plane.at(edge, (edge - centre) / z), plane.at(edge, most)]


def _ground(sheet: Sheet, plane: Plane, pooled: Pooled) -> None:
    """Draw the bands of p around the null, the null, and the pooled effect with its limits."""
    across, most, null = plane.across, plane.up.high, plane.across.null
    outside = kit.WHITE if null is None else _OUTSIDE[1]
    sheet.box(across.left, plane.up.left, across.right, plane.floor, outside)
    if null is not None:
        for p, _, colour in _BANDS:
            z = float(critical(1 - p, None))
            outline = [plane.at(null, 0), *_side(plane, null, z), *reversed(_side(plane, null, -z))]
            sheet.shape(outline, colour, "none", layer=kit.BACK, name="p-band")
        sheet.line([plane.at(null, 0), plane.at(null, most)], name="null")
    z = float(critical(pooled.level, None))
    sides = (_side(plane, pooled.estimate, turn)[0] for turn in (-z, z))
    for end in (plane.at(pooled.estimate, most), *sides):
        sheet.line([plane.at(pooled.estimate, 0), end], kit.BLUE, 0.9, name="pooled", dashed=True)


def _legend(sheet: Sheet, names: list[str], pooled: Pooled, filled: bool, corner: Span, wide: float) -> float:
    """Explain bands, groups and lines; return the y below."""

    def band(x: float, y: float, colour: str) -> None:
        sheet.box(x - 0.12, y - 0.055, x + 0.12, y + 0.055, colour, kit.INK, name="legend")

    def dashes(x: float, y: float) -> None:
        sheet.line([(x - 0.12, y), (x + 0.12, y)], kit.BLUE, 0.9, name="legend", dashed=True)

    x, y = corner
    if MEASURES[pooled.measure].null is not None:
        y = sheet.paragraph(x, y, "Two-sided p of a study", wide - kit.PAD - x, bold=True) + 0.03
        shades = [*((text, colour) for _, text, colour in reversed(_BANDS)), _OUTSIDE]
        y = sheet.legend(((partial(band, colour=colour), text) for text, colour in shades), y, wide, 0.24, x)
    hollow = partial(sheet.disc, radius=_POINT, fill=kit.WHITE, name="legend")
    entries: list[kit.Entry] = [
        *((partial(point, sheet, group=group, name="legend"), name) for group, name in enumerate(names)),
        (dashes, f"Pooled, {100 * pooled.level:g}% limits"),
        *([(hollow, "Filled in")] if filled else []),
    ]
    return sheet.legend(entries, y, wide, 0.24, x, each=x > kit.PAD)


def _notes(pooled: Pooled, fill: TrimFill | None) -> Iterator[str]:
    """Yield what the tests say: Egger's from ten studies on, and how many were filled in."""
    if pooled.k < _FEW:
        yield f"Fewer than {_FEW} studies ({pooled.k}): asymmetry cannot be judged."
    else:
        try:
            found = regression_test(pooled)
            test = f"{'z' if found.df is None else f't({found.df})'} = {number(found.statistic)}"
            yield f"Egger's regression test: {test} ({probability(found.p_value)})."
        except EvidenceError as error:
            yield f"No test of asymmetry: {error}."
    if fill is not None:
        shown = number(MEASURES[pooled.measure].shown(fill.pooled.estimate))
        yield f"Trim and fill: {fill.missing} on the {fill.side}; with them {shown}. A sensitivity analysis."
