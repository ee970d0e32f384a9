"""The timeline of evidence: what was known after each study, and of how many people."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from mesoevidence.charts import kit
from mesoevidence.charts.axis import Axis, axis, heading, limits_of, number, whole
from mesoevidence.charts.chart import Chart, having, sentence
from mesoevidence.charts.kit import Point, Sheet, Width, printing, width_of, wrap
from mesoevidence.charts.plane import Plane, Span, band, groups_of, left_of, plain, point
from mesoevidence.charts.rows import totals
from mesoevidence.diagnostics import cumulative
from mesoevidence.fitting import COUNTED
from mesoevidence.formulas import MEASURES
from mesoevidence.pooled import Pooled
from mesoevidence.problems import EvidenceError

_LARGEST, _BAND = 0.13, "#CFE3F1"
_NOTES = (
    "Line and band: the effect and its interval after each year. Marks: single studies, area by {area}.",
    "Looking again after every study makes chance findings likelier; the interval makes no allowance for it.",
)


def timeline(
    pooled: Pooled, *, year: str | None = None, by: str | None = None,
    events: Mapping[int, str] | None = None,
    width: Width = "natural", grey: bool = False, title: str | None = None,
) -> Chart:  # fmt: skip
    """Draw how the pooled effect, its interval and the number of people grew over the years.

    Parameters
    ----------
    pooled : Pooled
        The studies.
    year : str, optional
        The column of ``pooled.studies`` with the years; left out, the last four digits of each label.
    by : str, optional
        The column of ``pooled.studies`` that marks the studies, with five values at most.
    events : mapping of int to str, optional
        What happened in a year, such as a search or a changed verdict; marked in both panels.
    width, grey, title
        As in `forest`.

    Returns
    -------
    Chart
        Above the cumulative effect, below the people studied so far, where every study says how many.

    Raises
    ------
    EvidenceError
        When a study has no year.

    Notes
    -----
    Cumulative meta-analysis: Lau et al. (1992), N Engl J Med 327:248. Studies of one year enter together.

    Examples
    --------
    >>> import mesoevidence as me
    >>> frame = pd.DataFrame({"slab": ["A 1999", "B 2004"], "yi": [-0.9, -0.2], "vi": [0.1, 0.05]})
    >>> timeline(me.pool(frame, measure="RR"))
    <Chart: Timeline of 2 studies, 1999 to 2004: risk ratio 0.41 after the first year, 0.60 after the last.>
    """
    studies, size, said = _dated(pooled, year, by), printing(width), dict(sorted((events or {}).items()))
    data, sheet = _steps(pooled, studies), Sheet(size, grey)
    page, name = size.width or 6.6, heading(pooled.measure)
    tall = (0.5 if page < 5 else 0.36) * page
    effect = _upright(pooled, data, studies, tall, size.note)
    known = bool(data["people"].notna().all())
    people = plain(0.0, 1.05 * data["people"].max() if known else 1.0, (1.4 * tall + 0.2, tall + 0.2))
    names = [text for up in (effect, people) for _, text in up.ticks]
    span = left_of(names, [name, "People so far"], 0.4 * tall, size.note), page - kit.PAD - 0.1
    across = _calendar([*studies["year"], *said], span, size.note)
    flags = [(when, line) for when in reversed(said) for line in
             wrap(f"{when}: {said[when]}", 0.95 * (across.x(when) - kit.PAD), size.note)]  # fmt: skip
    top = kit.PAD + 0.06 + len(flags) * size.note * 0.0215
    effect, people = (replace(up, left=up.left + top, right=up.right + top) for up in (effect, people))
    plane, lower = Plane(across, effect), Plane(across, people)
    _effect(sheet, plane, data, studies)
    plane.upright(sheet, name)
    if known:
        _people(sheet, lower, data)
        lower.upright(sheet, "People so far")
    last = lower if known else plane
    _flags(sheet, flags, across, last.up.left)
    y, area = last.level(sheet, "Year") + 0.1, "people" if known else "weight"
    notes = [note.format(area=area) for note in _NOTES]
    if not all(map(effect.holds, data[["ci_low", "ci_high"]].stack())):
        notes.append("Where the band is cut off it goes on beyond the axis.")
    if by:
        groups = dict.fromkeys(studies["group"])
        marks = [(partial(point, sheet, group=at, name="legend"), name) for at, name in enumerate(groups)]
        y = sheet.legend(marks, y, page)
    figure = sheet.figure(page, sheet.notes(notes, y, page) + kit.PAD)
    return _chart(figure, pooled, data, said, title or pooled.label or "Timeline of the evidence")


def _calendar(years: Sequence[int], span: Span, size: float) -> Axis:
    """Return an axis of whole years whose labels stand apart."""
    low, high = min(years), max(years)
    room = max(1, round(0.05 * (high - low)))
    low, high = low - room, high + room
    wide = width_of("2000", size) + 0.12
    most = max(2, int((span[1] - span[0]) / wide))
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if (high - low) / step < most)
    marks = range(math.ceil(low / step) * step, high + 1, step)
    return Axis(low, high, *span, tuple((float(year), str(year)) for year in marks), None)


def _chart(figure: Figure, pooled: Pooled, data: pd.DataFrame, said: Mapping[int, str], title: str) -> Chart:
    """Return the chart with its data and words, on the scale of reading."""
    spec = MEASURES[pooled.measure]
    ends = ["estimate", "ci_low", "ci_high"]
    data[ends] = data[ends].map(spec.shown, na_action="ignore")
    first, last = data.iloc[0], data.iloc[-1]
    alt = (
        f"Timeline of {pooled.k} {'study' if pooled.k == 1 else 'studies'}, {first['year']:.0f} to "
        f"{last['year']:.0f}: {spec.label} {number(first['estimate'])} after the first year, "
        f"{number(last['estimate'])} after the last."
    )
    rows = []
    for year, k, people, estimate, low, high in map(tuple, data.to_numpy(dtype=float).tolist()):
        limits = "" if math.isnan(low) else f", {number(low)} to {number(high)}"
        persons = "" if math.isnan(people) else f", {whole(people)} people"
        rows.append(f"{year:.0f}: studies {k:.0f}{persons}, {spec.label} {number(estimate)}{limits}")
    rows += [f"{when}: {text}" for when, text in said.items()]
    return Chart((figure,), data, title, sentence(alt), tuple(rows))


def _dated(pooled: Pooled, year: str | None, by: str | None) -> pd.DataFrame:
    """Return the studies by year, with how many people each had, and their groups."""
    table = totals(pooled.studies)
    having(table, [year] if year else [])
    ends = [re.search(r"(?:1[89]|20)\d\d$", slab.strip()) for slab in pooled.slab]
    given: list[Any] = table[year].tolist() if year else [found and int(found[0]) for found in ends]
    for slab, value in zip(pooled.slab, given, strict=True):
        if value is None or pd.isna(value) or not float(value).is_integer():
            raise EvidenceError(f"{slab!r} has no year; name the column that has it with `year`")
    sizes = next((names for names in (["n1i", "n2i"], ["ni"], ["n"]) if set(names) <= set(table)), [])
    people = table[sizes].astype(float).sum(axis=1, skipna=False) if sizes else math.nan
    kept = table[["slab", "yi", "vi", "weight"]].assign(year=[int(value) for value in given], people=people)
    kept["group"] = groups_of(table, by)
    return kept.sort_values("year", kind="stable", ignore_index=True)


def _steps(pooled: Pooled, studies: pd.DataFrame) -> pd.DataFrame:
    """Return what was known at the end of each year, on the scale of computing."""
    if pooled.method in COUNTED:
        raise EvidenceError(f"a timeline pools by inverse variance, not by {pooled.method}")
    pooling = cumulative(studies, "year", method=pooled.method, test=pooled.test, level=pooled.level).table
    found = pooling.assign(year=studies["year"], people=studies["people"].cumsum())
    kept = found.drop_duplicates("year", keep="last", ignore_index=True)
    ends = ["estimate", "ci_low", "ci_high"]
    return kept[["year", "k", "people", *ends]].astype(dict.fromkeys(ends, float))


def _upright(pooled: Pooled, data: pd.DataFrame, studies: pd.DataFrame, tall: float, size: float) -> Axis:
    """Return the axis of the effect: it holds every study, and the intervals that say something."""
    values = [*studies["yi"], *data["estimate"]]
    points = float(min(values)), float(max(values))
    limits = [tuple(pair) for pair in data[["ci_low", "ci_high"]].dropna().to_numpy(dtype=float).tolist()]
    spread = max(3 * (points[1] - points[0]), min((high - low for low, high in limits), default=0.0))
    core = [(low, high) for low, high in limits if high - low <= spread]
    ends = limits_of(pooled.measure, [], [*core, points])
    return replace(axis(pooled.measure, ends, (0.0, tall), size), left=tall, right=0.0)


def _staircase(plane: Plane, data: pd.DataFrame, name: str) -> list[Point]:
    """Return a line that keeps each value until the next year; the last one to the end of the axis."""
    years = data["year"].tolist()
    spans = zip(years, [*years[1:], plane.across.high], data[name], strict=True)
    return [plane.at(at, value) for *span, value in spans for at in span]


def _effect(sheet: Sheet, plane: Plane, data: pd.DataFrame, studies: pd.DataFrame) -> None:
    """Draw the studies, and the cumulative effect with its interval."""
    there = data[data["ci_low"].notna()]
    if len(there):
        upper, lower = (_staircase(plane, there, name) for name in ("ci_high", "ci_low"))
        sheet.shape(band(upper, lower), _BAND, "none", layer=kit.BACK, name="interval")
    if plane.up.null is not None:
        y = plane.up.x(plane.up.null)
        sheet.line([(plane.across.left, y), (plane.across.right, y)], name="null")
    sheet.line(_staircase(plane, data, "estimate"), kit.BLUE, 1.6, layer=kit.MARKS, name="step")
    sizes = studies["people"] if studies["people"].notna().all() else studies["weight"]
    names = list(dict.fromkeys(studies["group"]))
    shares = zip(studies["year"], studies["yi"], sizes / sizes.max(), studies["group"], strict=True)
    for year, y, part, group in sorted(shares, key=lambda item: -item[2]):
        at, radius = plane.at(year, y), max(0.025, _LARGEST * math.sqrt(part))
        if names == [""]:
            sheet.disc(*at, radius, kit.ORANGE, name="study")
        else:
            point(sheet, *at, names.index(group), radius)


def _people(sheet: Sheet, plane: Plane, data: pd.DataFrame) -> None:
    """Draw how many people had been studied."""
    floor = [plane.at(data["year"].iloc[0], 0), plane.at(plane.across.high, 0)]
    steps = [floor[0], *_staircase(plane, data, "people")]
    sheet.shape(band(steps, floor), kit.GRID, "none", layer=kit.BACK, name="people")
    sheet.line(steps, kit.INK, 1.0, layer=kit.MARKS, name="people-step")


def _flags(sheet: Sheet, flags: Sequence[tuple[int, str]], across: Axis, bottom: float) -> None:
    """Mark what happened: the last on top, each text left of its line, so that no line meets a text."""
    size, step, marked = sheet.printing.note, sheet.printing.note * 0.0215, set()
    for place, (year, line) in enumerate(flags):
        x, y = across.x(year), kit.PAD + (place + 0.5) * step
        if year not in marked:
            sheet.line([(x, y - step / 2), (x, bottom)], kit.VERMILLION, 0.8, name="event", dashed=True)
            marked.add(year)
        sheet.text(x - 0.05, y, line, size, align="right")
