"""The PRISMA 2020 flow of a review: boxes of counts, their arithmetic checked."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeAlias

import pandas as pd

from mesoevidence.charts import kit
from mesoevidence.charts.axis import whole
from mesoevidence.charts.chart import Chart, sentence
from mesoevidence.charts.grid import Box
from mesoevidence.charts.kit import Sheet, Width, printing, width_of, wrap
from mesoevidence.problems import EvidenceError, nearest

Count: TypeAlias = "int | Mapping[str, Count]"
Told: TypeAlias = "tuple[str, Count] | None"

_LABELS = MappingProxyType(
    {"identified": "Records identified from", "removed": "Records removed before screening",
    "screened": "Records screened", "excluded": "Records excluded", "sought": "Reports sought for retrieval",
    "not_retrieved": "Reports not retrieved", "assessed": "Reports assessed for eligibility",
    "ineligible": "Reports excluded", "studies": "Studies included in review",
    "reports": "Reports of included studies"}
)  # fmt: skip
# Of an updated review: what the version before included, what is new, and the total.
_UPDATED = (
    {"studies": "Studies included in previous version of review",
     "reports": "Reports of studies included in previous version of review"},
    {"studies": "New studies included in review", "reports": "Reports of new included studies"},
    {"studies": "Total studies included in review", "reports": "Reports of total included studies"},
)  # fmt: skip
# What stands in a row beside what is left out of it, and in which phase.
_ROWS = (("Identification", "identified", "removed"), ("Screening", "screened", "excluded"),
         ("Screening", "sought", "not_retrieved"), ("Screening", "assessed", "ineligible"))  # fmt: skip
_TITLES = ("Identification of studies via databases and registers", "Identification via other methods",
           "Previous studies")  # fmt: skip
_BAR, _TITLE, _OTHER = "#BCD2EE", "#F7D98B", "#DCDCDC"
_PAD, _STEP = 0.08, 0.0205


@dataclass(slots=True)
class Row:
    """A row of the flow: for each column what is counted, and what of it is left out."""

    phase: str
    boxes: list[Told]
    placed: list[Box | None] = field(default_factory=list)
    top: float = 0.0
    bottom: float = 0.0

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return (self.top + self.bottom) / 2


def prisma(
    flow: Mapping[str, Any], *, strict: bool = True, width: Width = "natural", grey: bool = False,
    title: str | None = None,
) -> Chart:  # fmt: skip
    """Draw the flow of records through a review, as PRISMA 2020 has it.

    Parameters
    ----------
    flow : mapping
        Counts by box: `identified`, `removed`, `screened`, `excluded`, `sought`, `not_retrieved`,
        `assessed`, `ineligible` (reports excluded) and `included`. A count is a number or a mapping of parts
        that add up to it; `included` is a mapping with `studies`, `reports` and lines of your own. Where
        records were screened in several steps, `screened` and `excluded` are lists of ``(label, count)``.
        `other` holds the same boxes for other methods; `previous` the `studies` and `reports` of the version
        before an updated review, and the totals are then drawn. A box that is not known is left out.
    strict : bool
        Refuse a flow that does not add up; else the chart says below what does not.
    width, grey, title
        As in `forest`; with `other` the page is at least 180 mm wide.

    Returns
    -------
    Chart
        The boxes with arrows, their phases at the left.

    Raises
    ------
    EvidenceError
        When a box is unknown, a count is no whole number, or a box does not add up: it is named.

    Notes
    -----
    Page et al. (2021), BMJ 372:n71.

    Examples
    --------
    >>> flow = {"identified": {"MEDLINE": 90, "Embase": 50}, "removed": {"Duplicates": 40}, "screened": 100,
    ...         "excluded": 88, "assessed": 12, "ineligible": 7, "included": {"studies": 4, "reports": 5}}
    >>> prisma(flow)
    <Chart: PRISMA flow: 140 records identified, 100 screened, 12 reports assessed, 4 studies included.>
    >>> prisma({**flow, "screened": 101})
    Traceback (most recent call last):
    mesoevidence.problems.EvidenceError: Records screened (101) does not add up: 140 less 40 leaves 100
    """
    rows, updated = _rows(flow), "previous" in flow
    faults = [*_faults(flow)]
    if faults and strict:
        raise EvidenceError(faults[0])
    sheet = Sheet(printing(width), grey)
    page, columns = _columns(sheet, len(rows[0].boxes) // 2, updated)
    bar = sheet.printing.note * 0.03
    asked = (True, "other" in flow, updated)
    titles = [title for title, there in zip(_TITLES, asked, strict=True) if there]
    y = _titles(sheet, columns, titles)
    for row in rows:
        y = _boxes(sheet, row, columns, y, sum(other.phase == row.phase for other in rows)) + 0.22
    _phases(sheet, rows, bar)
    _arrows(sheet, rows)
    for fault in faults:
        text = f"Does not add up: {fault}."
        y = sheet.paragraph(kit.PAD, y, text, page - 2 * kit.PAD, bold=True, colour=kit.VERMILLION)
    figure = sheet.figure(page, (y if faults else y - 0.1) + kit.PAD / 2)
    data = pd.DataFrame(_lines_of(rows), columns=["phase", "box", "count", "n"])
    words = tuple(f"{box}: {name} {n}" if name else f"{box}: {n}" for _, box, name, n in _lines_of(rows))
    return Chart((figure,), data, title or "PRISMA 2020 flow", sentence(_alt(flow)), (*words, *faults))


def _alt(flow: Mapping[str, Any]) -> str:
    """Return the flow in a sentence."""
    last = "studies" if "studies" in flow["included"] else "reports"
    screened = next((count for _, count in _layers(flow.get("screened"), "screened")), None)
    steps = (
        (flow["identified"], "records identified"), (screened, "screened"),
        (flow.get("assessed"), "reports assessed"), (flow["included"].get(last), f"{last} included"),
    )  # fmt: skip
    parts = [f"{whole(_total(count))} {said}" for count, said in steps if count is not None]
    return f"PRISMA flow: {', '.join(parts)}."


# Counts -------------------------------------------------------------------------------------------


def _total(count: Count) -> int:
    """Return a count, its parts added up."""
    if isinstance(count, Mapping):
        return sum(map(_total, count.values()))
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise EvidenceError(f"a box holds a whole number from 0 on, not {count!r}")
    return count


def _layers(value: Any, key: str) -> list[tuple[str, Count]]:  # noqa: ANN401 - what the caller wrote
    """Return the steps of a box: one, or several with labels of their own."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [(_LABELS[key], value)]


def _pairs(flow: Mapping[str, Any]) -> Iterator[tuple[str, Told, Told]]:
    """Yield each row of a column: its phase, what is counted and what is left out."""
    for phase, kept, out in _ROWS:
        left, right = _layers(flow.get(kept), kept), _layers(flow.get(out), out)
        if len(left) > 1 and len(left) != len(right):
            raise EvidenceError(f"`{kept}` has {len(left)} steps and `{out}` {len(right)}")
        for place in range(max(len(left), len(right))):
            yield phase, left[place] if left else None, right[place] if place < len(right) else None


def _rows(flow: Mapping[str, Any]) -> list[Row]:
    """Return the rows of the flow; other methods stand beside databases."""
    known = (*(key for _, *keys in _ROWS for key in keys), "included", "other", "previous")
    other, before = flow.get("other", {}), flow.get("previous", {})
    for key in (*flow, *other):
        if key not in known:
            near = nearest(str(key), known)
            raise EvidenceError(f"there is no box `{key}`" + (f"; did you mean `{near}`?" if near else ""))
    if not isinstance(flow.get("included"), Mapping) or "identified" not in flow:
        raise EvidenceError("a flow has at least `identified`, and `included` with studies or reports")
    rows = [Row(phase, [kept, out]) for phase, kept, out in _pairs(flow)]
    if other:
        beside = {_place(kept or out): [kept, out] for _, kept, out in _pairs(other)}
        for row in rows:
            row.boxes += beside.pop(_place(row.boxes[0] or row.boxes[1]), [None, None])
        if beside:
            raise EvidenceError(f"other methods have {', '.join(map(repr, beside))}, and databases have not")
    names = {(_UPDATED[1] if before else _LABELS).get(name, name): n for name, n in flow["included"].items()}
    rows.append(Row("Included", [("", names), None, *([None, None] if other else [])]))
    return _updated(rows, before, flow["included"]) if before else rows


def _updated(rows: list[Row], before: Mapping[str, Count], included: Mapping[str, Count]) -> list[Row]:
    """Return the rows with what an earlier version of the review included, and the totals."""
    if not set(before) <= {"studies", "reports"}:
        raise EvidenceError("`previous` holds the studies and reports of the version before and no other box")
    told = "", {_UPDATED[0][name]: n for name, n in before.items()}
    for row in rows:
        row.boxes += [told if row is rows[0] else None, None]
    known = [name for name in before if name in included]
    totals = {_UPDATED[2][name]: _total(before[name]) + _total(included[name]) for name in known}
    return [*rows, Row("Included", [("", totals), *[None] * (len(rows[0].boxes) - 1)])] if totals else rows


def _place(box: Told) -> str:
    return box[0] if box else ""


def _faults(flow: Mapping[str, Any]) -> Iterator[str]:
    """Yield each box that the one before it does not lead to."""
    left: int | None = 0
    for column in (flow, flow.get("other", {})):
        rest: int | None = None
        said = ""
        for _, kept, out in _pairs(column):
            n, less = (None if box is None else _total(box[1]) for box in (kept, out))
            if kept and n is not None and rest is not None and n != rest:
                yield f"{kept[0]} ({whole(n)}) does not add up: {said} leaves {whole(rest)}"
            if out and n is not None and less is not None and less > n:
                yield f"{out[0]} ({whole(less)}) is more than the {whole(n)} there were"
            rest = n - less if n is not None and less is not None else None
            said = f"{whole(n or 0)} less {whole(less or 0)}"
        left = None if left is None or (column and rest is None) else left + (rest or 0)
    included = flow["included"]
    old = {name: _total(count) for name, count in flow.get("previous", {}).items()}
    if old.get("studies", 0) > old.get("reports", math.inf):
        yield f"{_TITLES[2]} ({whole(old['studies'])}) is more than the {whole(old['reports'])} reports"
    reports, studies = included.get("reports"), included.get("studies")
    if left is not None and reports is not None and _total(reports) != left:
        yield f"{_LABELS['reports']} ({whole(_total(reports))}) does not add up: {whole(left)} were left"
    most = left if reports is None else _total(reports)
    if most is not None and studies is not None and _total(studies) > most:
        yield f"{_LABELS['studies']} ({whole(_total(studies))}) is more than the {whole(most)} reports"


def _lines_of(rows: Sequence[Row]) -> Iterator[tuple[str, str, str, int]]:
    """Yield every count with its phase, box and name."""
    for row in rows:
        for box in filter(None, row.boxes):
            if box[0]:
                yield row.phase, box[0], "", _total(box[1])
            for name, count, _ in _parts(box[1], 0):
                yield row.phase, box[0] or row.phase, name, _total(count)


def _parts(count: Count, deep: int) -> Iterator[tuple[str, Count, int]]:
    """Yield the parts of a count and their parts, each with how deep it stands."""
    if not isinstance(count, Mapping):
        return
    for name, part in count.items():
        yield name, part, deep
        yield from _parts(part, deep + 1)


# Drawing ------------------------------------------------------------------------------------------


def _columns(sheet: Sheet, pairs: int, updated: bool) -> tuple[float, list[tuple[float, float]]]:
    """Return the width of the page and where the columns of boxes stand, previous studies at the left."""
    wide, gap, count = sheet.printing.width, 0.26, 2 * pairs - updated
    begin = kit.PAD + sheet.printing.note * 0.03 + 0.1
    if pairs > 1 and wide is not None and wide < 5:
        raise EvidenceError("other methods or previous studies do not fit; take width='double' or 'natural'")
    box = 2.45 if wide is None else (wide - kit.PAD - begin - gap * (count - 1)) / count
    columns = [(begin + place * (box + gap), begin + place * (box + gap) + box) for place in range(count)]
    page = columns[-1][1] + kit.PAD
    return page, [*columns[1:], columns[0], columns[0]] if updated else columns


def _titles(sheet: Sheet, columns: Sequence[tuple[float, float]], titles: Sequence[str]) -> float:
    """Draw the titles over the columns; return the y below."""
    size = sheet.printing.note
    spans = [(a[0], b[1]) for a, b in pairwise(columns)][::2]
    texts = [wrap(text, b - a - 0.1, size, True) for (a, b), text in zip(spans, titles, strict=True)]
    bottom = kit.PAD + max(map(len, texts)) * size * _STEP + 0.1
    for place, ((left, right), lines) in enumerate(zip(spans, texts, strict=True)):
        sheet.box(left, kit.PAD, right, bottom, _OTHER if place else _TITLE, kit.INK, name="title")
        sheet.stack((left + right) / 2, (kit.PAD + bottom) / 2, lines, size=size, bold=True, align="center")
    return bottom + 0.16


def _written(sheet: Sheet, box: tuple[str, Count], wide: float) -> list[tuple[str, float]]:
    """Return the lines of a box, each with how far it stands in."""
    label, count = box
    size, lines = sheet.printing.note, []
    if label:
        colon = ":" if isinstance(count, Mapping) else ""
        lines = [(f"{label} (n\u00a0=\u00a0{whole(_total(count))}){colon}", 0.0)]
    for name, part, deep in _parts(count, 1 if label else 0):
        lines.append((f"{name} (n\u00a0=\u00a0{whole(_total(part))})", 0.09 * deep))
    return [(line, inset) for text, inset in lines for line in wrap(text, wide - inset - 2 * _PAD, size)]


def _boxes(sheet: Sheet, row: Row, columns: Sequence[tuple[float, float]], y: float, beside: int) -> float:
    """Draw the boxes of a row with their lines, each centred on its middle; return the y below."""
    step, size = sheet.printing.note * _STEP, sheet.printing.note
    pairs = zip(row.boxes, columns, strict=True)
    texts = [_written(sheet, box, right - left) if box else [] for box, (left, right) in pairs]
    word = (width_of(row.phase, size, True) + 0.16) / beside
    row.top, row.bottom = y, y + max(word, max(map(len, texts)) * step + 2 * _PAD)
    for lines, (left, right) in zip(texts, columns, strict=True):
        half = len(lines) * step / 2 + _PAD
        box = Box(left, row.middle - half, right, row.middle + half) if lines else None
        row.placed.append(box)
        if box:
            sheet.box(*box, kit.WHITE, kit.INK, layer=kit.SHAPES, name="box")
        for place, (line, inset) in enumerate(lines):
            sheet.text(left + _PAD + inset, row.middle - half + _PAD + (place + 0.5) * step, line, size)
    return row.bottom


def _phases(sheet: Sheet, rows: Sequence[Row], bar: float) -> None:
    """Draw the names of the phases along the left edge."""
    for phase in dict.fromkeys(row.phase for row in rows):
        own = [row for row in rows if row.phase == phase]
        box = Box(kit.PAD, own[0].top, kit.PAD + bar, own[-1].bottom)
        sheet.box(*box, _BAR, kit.INK, name="phase")
        sheet.text(*box.middle, phase, sheet.printing.note, align="center", bold=True, turned=True)


def _arrows(sheet: Sheet, rows: Sequence[Row]) -> None:
    """Draw arrows down each column, to what is left out, and from other methods to what is included."""
    for column in range(0, len(rows[0].boxes), 2):
        known = [box for row in rows if (box := row.placed[column])]
        for upper, lower in pairwise(known):
            _arrow(sheet, [(upper.middle[0], upper.bottom), (lower.middle[0], lower.top)])
        for row in rows:
            kept, out = row.placed[column : column + 2]
            if kept and out:
                _arrow(sheet, [(kept.right, row.middle), (out.left, row.middle)])
        new = next(row for row in rows if row.phase == "Included").placed[0]
        if column and known and new:
            x, before = known[-1].middle[0], known[-1].right < new.left
            end = (rows[-1].placed[0] or new) if before else new
            y, edge = end.middle[1], end.left if before else end.right
            _arrow(sheet, [(x, known[-1].bottom), (x, y), (edge, y)])


def _arrow(sheet: Sheet, points: Sequence[kit.Point]) -> None:
    """Draw an arrow along points, its head at the last."""
    (x, y), (end, low) = points[-2:]
    right, down = (end > x) - (end < x), (low > y) - (low < y)
    sheet.line([*points[:-1], (end - 0.06 * right, low - 0.06 * down)], kit.INK, 0.9, name="arrow")
    back = end - 0.08 * right, low - 0.08 * down
    side = 0.032 * down, 0.032 * right
    head = [(end, low), (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1])]
    sheet.shape(head, kit.INK, kit.INK, 0.3, name="head")
