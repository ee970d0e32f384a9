"""What single studies do to a result: L'Abbé plots of risks, and Baujat plots of influence."""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from mesoevidence.charts import kit
from mesoevidence.charts.axis import Axis, number
from mesoevidence.charts.chart import Chart, sentence
from mesoevidence.charts.kit import Sheet, Width, printing
from mesoevidence.charts.plane import Plane, left_of, named, plain
from mesoevidence.charts.rows import totals
from mesoevidence.diagnostics import leave_one_out
from mesoevidence.formulas import MEASURES
from mesoevidence.pooled import Pooled
from mesoevidence.problems import EvidenceError

_LARGEST, _PAGE = 0.16, 5.2  # inches: the radius of the heaviest study, and the width of a natural page
_AREA = "Areas of discs are in proportion to the weights."


def labbe(pooled: Pooled, *, width: Width = "natural", grey: bool = False, title: str | None = None) -> Chart:
    """Draw a L'Abbé plot: the risk with the intervention against the risk without it.

    Parameters
    ----------
    pooled : Pooled
        Studies with events and people of two groups, pooled as RR, OR or RD.
    width, grey, title
        As in `forest`.

    Returns
    -------
    Chart
        A disc a study, its area in proportion to its weight; the line of equal risks, and the pooled effect.

    Raises
    ------
    EvidenceError
        When the studies have no events of two groups.

    Notes
    -----
    L'Abbé, Detsky and O'Rourke (1987), Ann Intern Med 107:224.

    Examples
    --------
    >>> import mesoevidence as me
    >>> frame = pd.DataFrame({"slab": ["A", "B"], "ai": [4, 6], "bi": [119, 300], "ci": [11, 29],
    ...                       "di": [128, 274]})
    >>> labbe(me.pool(frame, measure="RR"))
    <Chart: L'Abbé plot of 2 studies: the risk is lower with the intervention in 2, higher in 0.>
    """
    risks, sheet, spec = _risks(pooled), Sheet(printing(width), grey), MEASURES[pooled.measure]
    treated, control, heaviest = risks["treated"], risks["control"], max(pooled.weights)
    most = min(1.0, 1.15 * max(treated.max(), control.max()) or 1.0)
    plane = _square(sheet, (most, most), _side(pooled, "intervention", "with it"), percent=True)
    steps = [most * step / 200 for step in range(201)]
    equal = plane.line([(risk, risk) for risk in steps])
    effect = plane.line([(risk, _with(pooled, risk)) for risk in steps])
    sheet.line(equal, kit.INK, 0.8, name="equal")
    if len(effect) > 1:
        sheet.line(effect, kit.BLUE, 1.1, name="pooled", dashed=True)
    radii = [max(0.02, _LARGEST * math.sqrt(weight / heaviest)) for weight in pooled.weights]
    discs = list(zip(map(plane.at, control, treated), radii, strict=True))
    notes = [f"Solid line: equal risks. Dashed: pooled {spec.label} {number(pooled.shown[0])}.", _AREA]
    without = _side(pooled, "comparator", "without it")
    figure = _finished(sheet, plane, without, discs, pooled.slab, notes, [*equal, *effect])
    fewer, greater = (treated < control).sum(), (treated > control).sum()
    said = f"the risk is lower with the intervention in {fewer}, higher in {greater}."
    alt = f"L'Abbé plot of {pooled.k} {'study' if pooled.k == 1 else 'studies'}: {said}"
    words = (
        f"{label}: {100 * a:.1f}% with, {100 * b:.1f}% without, weight {weight:.1f}%"
        for label, a, b, weight in risks.itertuples(index=False)
    )
    return Chart((figure,), risks, title or "L'Abbé plot", sentence(alt), tuple(words))


def baujat(
    pooled: Pooled, *, width: Width = "natural", grey: bool = False, title: str | None = None
) -> Chart:
    """Draw a Baujat plot: how far each study differs, against how far it moves the pooled effect.

    Parameters
    ----------
    pooled : Pooled
        At least three studies.
    width, grey, title
        As in `forest`.

    Returns
    -------
    Chart
        Studies far to the right differ from the others; studies high up decide the result.

    Raises
    ------
    EvidenceError
        With fewer than three studies, and for methods that pool counts.

    Notes
    -----
    Baujat et al. (2002), Stat Med 21:2641; the numbers are those of metafor's ``baujat()``: the squared
    Pearson residual, and the squared standardised change of the estimate when the study is left out.

    Examples
    --------
    >>> import mesoevidence as me
    >>> frame = pd.DataFrame({"slab": ["A", "B", "C"], "yi": [0.1, 0.2, 2.0], "vi": [0.04] * 3})
    >>> baujat(me.pool(frame))
    <Chart: Baujat plot of 3 studies: C differs most from the others and C moves the pooled effect most.>
    """
    if pooled.k < 3:
        raise EvidenceError(f"a Baujat plot needs three studies or more, not {pooled.k}")
    if pooled.method in ("MH", "Peto"):
        raise EvidenceError(f"a Baujat plot needs weights of inverse variance, not {pooled.method}")
    without = leave_one_out(pooled).table
    if lone := without["slab"][without["se"].isna()].tolist():
        why = "the effects are identical, so that Hartung-Knapp gives no standard error; pool with test='z'"
        raise EvidenceError(f"without {lone[0]!r} {why}")
    table = pd.DataFrame({
        "label": pooled.slab,
        "differs": [(y - pooled.estimate) ** 2 / (v + (pooled.tau2 or 0.0))
                    for y, v in zip(pooled.yi, pooled.vi, strict=True)],
        "influence": ((without["estimate"] - pooled.estimate) / without["se"]).astype(float) ** 2,
    })  # fmt: skip
    differs, moves, sheet = table["differs"], table["influence"], Sheet(printing(width), grey)
    plane = _square(sheet, (1.12 * differs.max(), 1.12 * moves.max()), "Influence on the pooled effect")
    discs = [(plane.at(*pair), 0.045) for pair in zip(differs, moves, strict=True)]
    notes = ["Right: differs from the others. High up: moves the pooled effect."]
    spread = "squared Pearson residual" if pooled.tau2 is not None else "contribution to Q"
    across = f"Difference from the pooled effect ({spread})"
    figure = _finished(sheet, plane, across, discs, pooled.slab, notes)
    odd, strong = (pooled.slab[column.argmax()] for column in (differs, moves))
    alt = f"{odd} differs most from the others and {strong} moves the pooled effect most."
    words = (
        f"{label}: difference {number(far)}, influence {number(move)}"
        for label, far, move in table.itertuples(index=False)
    )
    said = sentence(f"Baujat plot of {pooled.k} studies: {alt}")
    return Chart((figure,), table, title or "Baujat plot", said, tuple(words))


def _square(sheet: Sheet, most: tuple[float, float], name: str, *, percent: bool = False) -> Plane:
    """Return a square plane that begins a little below zero, its upright axis drawn."""
    page, size, top = sheet.printing.width or _PAGE, sheet.printing.note, kit.PAD + 0.08
    labels = [label for _, label in _scale(most[1], (0, 1), percent).ticks]
    left = left_of(labels, [name], 0.6 * page, size)
    side = min(page - kit.PAD - 0.15 - left, 4.2)
    up = _scale(most[1], (top + side, top), percent)
    plane = Plane(_scale(most[0], (left, left + side), percent), up)
    plane.upright(sheet, name)
    return plane


def _scale(most: float, span: tuple[float, float], percent: bool) -> Axis:
    """Return an axis from zero, of numbers or of percentages."""
    made = plain(0.0, (100 if percent else 1) * most, span)
    ticks = tuple(
        (value / (100 if percent else 1), f"{label}%" if percent else label) for value, label in made.ticks
    )
    return Axis(-0.05 * (most or 1.0), most or 1.0, *span, ticks, None)


def _finished(
    sheet: Sheet, plane: Plane, across: str, discs: Sequence[tuple[kit.Point, float]], names: Sequence[str],
    notes: Sequence[str], avoid: Sequence[kit.Point] = (),
) -> Figure:  # fmt: skip
    """Return the figure with its studies, their names, the axis along the bottom, and its notes."""
    for point, radius in sorted(discs, key=lambda disc: -disc[1]):
        sheet.disc(*point, radius, kit.SKY, name="study")
    page = sheet.printing.width or _PAGE
    room = (plane.across.left + 0.02, page - kit.PAD), (kit.PAD, plane.up.left - 0.02)
    if not named(sheet, discs, names, room, avoid):
        notes = [*notes, "Some names had no room; the data table has them."]
    y = sheet.notes(notes, plane.level(sheet, across) + 0.1, page)
    return sheet.figure(page, y + kit.PAD)


def _risks(pooled: Pooled) -> pd.DataFrame:
    """Return the risks of both groups of every study."""
    table = totals(pooled.studies)
    missing = [name for name in ("ai", "n1i", "ci", "n2i") if name not in table]
    if missing or pooled.measure not in ("RR", "OR", "RD"):
        raise EvidenceError("a L'Abbé plot needs events and people of two groups, pooled as RR, OR or RD")
    if table[["ai", "n1i", "ci", "n2i"]].isna().any(axis=None):
        raise EvidenceError("a L'Abbé plot needs the events of every study; one was seen as a contrast only")
    return pd.DataFrame({
        "label": pooled.slab, "treated": table["ai"] / table["n1i"], "control": table["ci"] / table["n2i"],
        "weight": pooled.weights,
    })  # fmt: skip


def _with(pooled: Pooled, risk: float) -> float:
    """Return the risk with the intervention that the pooled effect gives to a risk without it."""
    effect = pooled.shown[0]
    if pooled.measure == "RD":
        return risk + effect
    return risk * effect if pooled.measure == "RR" else risk * effect / (1 - risk + risk * effect)


def _side(pooled: Pooled, side: str, otherwise: str) -> str:
    """Return the name of an axis: the risk in one group."""
    name = getattr(pooled.question, side, None) if pooled.question else None
    return f"Risk: {name}" if name else f"Risk {otherwise}"
