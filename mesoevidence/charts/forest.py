"""The forest plot: each study with its interval and weight, and what they say together."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import pandas as pd

from mesoevidence.bodies import Question, inside
from mesoevidence.charts.axis import heading, held, number
from mesoevidence.charts.chart import Chart, sentence
from mesoevidence.charts.forest_layout import STYLES, fit
from mesoevidence.charts.forest_page import draw
from mesoevidence.charts.kit import Width, printing
from mesoevidence.charts.rows import Content, Forestable, Row, Wish, content
from mesoevidence.formulas import MEASURES
from mesoevidence.pooled import Pooled
from mesoevidence.problems import EvidenceError, one_of

PARTS = ("arms", "extra", "lights", "weight", "prediction", "notes", "zebra", "pooled-line")


def forest(
    data: Forestable, *, by: str | None = None, rob: pd.DataFrame | None = None,
    arms: tuple[str, str] | None = None, columns: Sequence[str] | Mapping[str, str] = (),
    beside: Sequence[Pooled] = (), palette: str = "own",
    favours: tuple[str, str] | None = None, mid: float | tuple[float, float] | None = None,
    style: str = "standard", width: Width = "natural", hide: Collection[str] = (), digits: int | None = None,
    grey: bool = False, measure: str | None = None, title: str | None = None, rows_a_page: int = 60,
) -> Chart:  # fmt: skip
    """Draw a forest plot.

    Parameters
    ----------
    data : Pooled, Subgroups, Repooled or DataFrame
        A pooled result; estimates of subgroups; a cumulative or leave-one-out analysis; or effects that
        nobody pooled (`slab`, and what `effect_sizes` or `pool` takes).
    by : str, optional
        The column of ``pooled.studies`` that names the subgroup, each then with its own diamond.
    rob : DataFrame, optional
        Judgements of bias, as ``evidence.table("risk_of_bias")`` has them: `study`, `domain`, `judgement`.
    arms : (str, str), optional
        Names of the two groups; of a synthesis its own.
    columns : sequence of str, or mapping of str to str
        Further columns of the studies to print, with their headings if they are not to be the names.
    beside : sequence of Pooled
        The same studies pooled otherwise: sensitivity, a diamond each under that of the analysis.
    favours : (str, str), optional
        What stands left and right of the null; a synthesis knows it from which way its outcome is better.
    mid : float or (float, float), optional
        The smallest difference that matters, on the scale of reading, or both ends of what does not matter.
    style : {"standard", "cochrane", "jama", "bmj"}
        Order and look of the columns.
    width : {"natural", "double", "single"}
        As wide as needed, 180 mm or 89 mm. A narrow page leaves out lights, weights, further columns and
        arms, in this order; text is never under 7 points.
    hide : collection of str
        Parts to leave out: arms, extra, lights, weight, prediction, notes, zebra, pooled-line.
    palette
        As in `traffic_light`.
    digits, grey, measure, title, rows_a_page
        Decimals (left out: two, or as many as tell the ends of each interval apart); greys instead of
        colours; what the effects are, where the data do not say; the name of the chart; and when to begin
        a new page.

    Returns
    -------
    Chart
        With `figure`, `data`, `alt` and `save`.

    Raises
    ------
    EvidenceError
        When a column, part, style or width is not there, or the page is too narrow.

    Notes
    -----
    Squares have areas in proportion to the weights; a prediction interval has a row of its own (Guddat et al.
    2012, Syst Rev 1:34); arrows mark intervals that leave the axis.

    Examples
    --------
    >>> import mesoevidence as me
    >>> frame = pd.DataFrame({"slab": ["A", "B", "C"], "yi": [-0.9, -0.2, -0.5], "vi": [0.1, 0.05, 0.2]})
    >>> me.forest(me.pool(frame, measure="RR"), favours=("Favours vaccine", "Favours none"))
    <Chart: Forest plot of 3 studies. Risk ratio 0.61 (95% CI 0.24 to 1.55), I² 42%, ...>
    """
    if strange := [part for part in hide if part not in PARTS]:
        raise EvidenceError(f"there is no part {strange[0]!r} to hide; {one_of(str(strange[0]), PARTS)}")
    if style not in STYLES:
        raise EvidenceError(f"there is no style {style!r}; there are {', '.join(STYLES)}")
    look, question = STYLES[style], getattr(data, "question", None)
    sides = (question.intervention, question.comparator) if question else ("Intervention", "Comparator")
    named = columns if isinstance(columns, Mapping) else dict(zip(columns, columns, strict=True))
    shown = "prediction" not in hide
    wish = Wish(by, arms or sides, named, rob, look.lead, look.fraction, look.spread, shown, beside)
    said = content(data, wish, measure, getattr(data, "level", 0.95))
    rows = tuple(replace(row, interval=held(said.measure, row.interval)) for row in said.rows)
    said = replace(said, rows=rows)
    if far := [row for row in rows if row.interval and not _told(said.measure, row.interval[0])]:
        raise EvidenceError(f"the estimate of {far[0].label!r} is beyond every number; is it a logarithm?")
    digits = _digits(said) if digits is None else digits
    page = fit(
        said, look, printing(width, palette), hide=frozenset(hide), digits=digits, grey=grey,
        mid=_band(said.measure, mid, question), favours=favours or _favours(question),
    )  # fmt: skip
    figures = tuple(draw(page, chunk, last) for chunk, last in _pages(said.rows, rows_a_page))
    label = MEASURES[said.measure].label
    name = title or (said.pooled.label if said.pooled else None) or f"Forest plot, {label}"
    return Chart(figures, _frame(said), name, sentence(_alt(said, digits)), tuple(_announced(said, digits)))


def _told(measure: str, estimate: float) -> bool:
    """Return whether a number can hold an estimate as it is read."""
    return abs(estimate) < (600 if MEASURES[measure].transform == "exp" else 1e300)


def _favours(question: Question | None) -> tuple[str, str] | None:
    """Return what stands left and right of the null: it follows from which way the outcome is better."""
    if question is None or question.better is None or not question.comparator:
        return None
    sides = (f"Favours {inside(question.intervention)}", f"Favours {inside(question.comparator)}")
    return sides if question.better == "lower" else sides[::-1]


def _band(
    measure: str, mid: float | tuple[float, float] | None, question: Question | None
) -> tuple[float, float] | None:
    """Return the range that does not matter, on the scale of computing; an outcome's own is a difference."""
    if mid is None and question is not None and measure in ("MD", "MC"):
        mid = question.mid
    if mid is None:
        return None
    spec = MEASURES[measure]
    ends = mid if isinstance(mid, tuple) else (1 / mid, mid) if spec.is_ratio and mid else (-mid, mid)
    if spec.transform == "exp" and min(ends) <= 0:
        raise EvidenceError("`mid` of a ratio is above 0, such as 1.25 or (0.8, 1.25)")
    low, high = sorted(math.log(end) if spec.transform == "exp" else end for end in ends)
    return low, high


def _pages(rows: Sequence[Row], most: int) -> list[tuple[range, bool]]:
    """Return the rows of each page, and whether it is the last; no page ends with a heading."""
    if most < 1:
        raise EvidenceError("`rows_a_page` is 1 or more")
    if not rows:
        raise EvidenceError("there is nothing to show")
    count = len(rows)
    each = math.ceil(count / math.ceil(count / most))
    starts = dict.fromkeys(at - (at > 0 and rows[at - 1].kind == "heading") for at in range(0, count, each))
    return [(range(start, end), end == count) for start, end in pairwise([*starts, count])]


# In words -----------------------------------------------------------------------------------------


def _frame(said: Content) -> pd.DataFrame:
    """Return what is drawn, on the scale of reading."""
    shown = MEASURES[said.measure].shown
    names = {column.keys: f"{column.arm} {column.head}".strip() for column in said.columns}
    rows = []
    for row in said.rows:
        estimate, *ends = map(shown, row.interval) if row.interval else [None]
        low, high = ends if row.bounded else (None, None)
        cells = {names[keys]: text for keys, text in row.cells.items()}
        rows.append({
            "row": row.kind, "label": row.label, **cells, "estimate": estimate, "ci_low": low,
            "ci_high": high, "weight": row.weight, **row.lights,
        })  # fmt: skip
    return pd.DataFrame(row for row in rows if row["row"] != "note")


def _digits(said: Content) -> int:
    """Return two decimals, or as many as tell the ends of each interval apart."""
    shown = MEASURES[said.measure].shown
    ends = [[*map(shown, row.interval[1:])] for row in said.rows if row.interval and row.bounded]
    told = (n for n in range(2, 7) if all(number(low, n) != number(high, n) for low, high in ends))
    return next(told, 2)


def _alt(said: Content, digits: int) -> str:
    """Return the chart in one sentence: what, how many, what came out, how far it spreads."""
    studies, spec, pooled = sum(row.kind == "study" for row in said.rows), MEASURES[said.measure], said.pooled
    text = f"Forest plot of {studies} {'study' if studies == 1 else 'studies'}"

    def ranged(ends: Iterable[float]) -> str:
        return " to ".join(number(spec.shown(end), digits) for end in ends)

    if said.head:
        found = [row.interval[0] for row in said.rows if row.interval]
        return f"Forest plot of {studies} pooled estimates, {spec.label} {ranged((min(found), max(found)))}."
    if pooled is None:
        return f"{text}, {spec.label}; nothing is pooled."
    within = f" ({100 * pooled.level:g}% CI {ranged(pooled.ci)})" if pooled.ci else ""
    effect = f"{text}. {heading(said.measure, log=False)} {ranged([pooled.estimate])}{within}"
    spread = [] if pooled.i2 is None else [f"I² {pooled.i2:.0f}%"]
    further = [f"prediction interval {ranged(pooled.prediction)}"] if pooled.prediction else []
    return ", ".join([effect, *spread, *further]) + "."


def _announced(said: Content, digits: int) -> Iterator[str]:
    """Yield each row as a screen reader would say it."""
    spec = MEASURES[said.measure]
    for row in said.rows:
        if row.interval is None:
            yield f"{row.label}: not estimable" if row.kind == "study" else row.label
            continue
        estimate, low, high = (spec.shown(value) for value in row.interval)
        within = f"{number(low, digits)} to {number(high, digits)}"
        said_within = f"{100 * said.level:g}% CI {within}" if row.bounded else "no interval"
        parts = [row.label, f"{spec.label} {number(estimate, digits)}", said_within]
        if row.kind == "prediction":
            parts = [row.label, within]
        if spec.null is not None and row.bounded:
            parts.append("crosses the null" if low <= spec.null <= high else "does not cross the null")
        parts += [] if row.weight is None else [f"weight {row.weight:.1f}%"]
        parts += [f"{domain} {judgement}" for domain, judgement in row.lights.items()]
        yield ", ".join(parts)
