"""The evidence map: what was studied for which outcome, how sure that is, and where nothing was."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.path import Path

from mesoevidence.certainty import strength_of
from mesoevidence.charts import kit
from mesoevidence.charts.chart import Chart, ledger_of, sentence
from mesoevidence.charts.grid import Box, Part, grid
from mesoevidence.charts.kit import Print, Sheet, Width, printing, width_of
from mesoevidence.evidence import Evidence
from mesoevidence.ledger import Ledger
from mesoevidence.problems import EvidenceError, nearest


class Level(NamedTuple):
    """How a certainty is drawn: its colour, the part of the disc that is filled, and its word."""

    fill: str
    part: float
    word: str


# Ordered blues and a filling disc: the sign alone tells the level where colour does not.
LEVELS = MappingProxyType(
    {"high": Level("#08306B", 1.0, "High"), "moderate": Level("#2171B5", 0.75, "Moderate"),
    "low": Level("#6BAED6", 0.5, "Low"), "very-low": Level("#C6DBEF", 0.25, "Very low"),
    "not-graded": Level(kit.WHITE, 0.0, "Not graded")}
)  # fmt: skip
_ROOM = MappingProxyType({"natural": (2.4, 0.92, 8), "double": (1.6, 0.86, 6), "single": (0.95, 0.78, 3)})
_HATCH = "#C3C9CF"
_NOTES = (
    "A disc for each certainty; its area goes with the number of studies in this ledger, written below it.",
    "Hatched: no study in this ledger. A gap, not evidence of no effect.",
)
Cells: TypeAlias = Mapping[tuple[str, str], Mapping[str, int]]


class Sheetful(NamedTuple):
    """What stands on one page: a topic with its rows and columns, and what was left out."""

    topic: str
    rows: Sequence[str]
    columns: Sequence[str]
    left_out: str


def evidence_map(
    evidence: Evidence, *, interventions: Sequence[str] | None = None, outcomes: Sequence[str] | None = None,
    width: Width = "natural", grey: bool = False, title: str | None = None, rows_a_page: int = 18,
) -> Chart:  # fmt: skip
    """Draw which interventions were studied for which outcomes, and where the gaps are.

    Parameters
    ----------
    evidence : Evidence
        Whole, with a page for each topic, or a part of it.
    interventions, outcomes : sequence of str, optional
        The slugs of the rows and columns. Left out: the critical and important outcomes with the most
        studies, as many as the page holds, and each intervention studied for one of them.
    width, grey, title, rows_a_page
        As in `forest`.

    Returns
    -------
    Chart
        A disc for each certainty, its area in proportion to the number of studies, on one scale throughout.
        A study counts with the surest synthesis that holds it; without one it is not graded.

    Raises
    ------
    EvidenceError
        When a slug is not known, too many columns are asked for, or there is no result to show.

    Examples
    --------
    >>> import mesoevidence as me
    >>> evidence_map(me.load(), interventions=["ha-injection"], outcomes=["skin-hydration"])
    <Chart: Evidence map, 1 intervention by 1 outcome: 1 cell with studies, 0 gaps.>
    """
    ledger, size, (label, cell, most) = ledger_of(evidence), printing(width), _ROOM[width]
    for asked, known in ((interventions, ledger.interventions), (outcomes, ledger.outcomes)):
        for slug in asked or ():
            if slug not in known:
                near = nearest(slug, known)
                raise EvidenceError(f"no topic has {slug!r}" + (f"; did you mean {near!r}?" if near else ""))
    if len(outcomes or ()) > most:
        raise EvidenceError(f"a page holds {most} outcomes at width={width!r}, not {len(outcomes or ())}")
    cells = _cells(ledger)
    found = (_page(ledger, cells, topic, interventions, outcomes, most) for topic in ledger.topics)
    pages = [
        page._replace(rows=page.rows[start : start + rows_a_page])
        for page in found if page for start in range(0, len(page.rows), rows_a_page)
    ]  # fmt: skip
    if not pages:
        raise EvidenceError("there is no result to show: no study of this evidence has arms and results")
    shown = [(page.topic, row, column) for page in pages for row in page.rows for column in page.columns]
    scale = _scale([cells.get((row, column), {}) for _, row, column in shown], cell, size)
    figures = tuple(_drawn(page, ledger, cells, (label, cell, scale), size, grey) for page in pages)
    data = pd.DataFrame([
        {"topic": ledger.topics[topic].label, "intervention": ledger.interventions[row].label,
         "outcome": ledger.outcomes[column].label, "certainty": level, "studies": n}
        for topic, row, column in shown
        for level, n in cells.get((row, column), {"gap": 0}).items()
    ])  # fmt: skip
    filled = sum(bool(cells.get((row, column))) for _, row, column in shown)
    counts = {
        "intervention": len({row for _, row, _ in shown}), "outcome": len({column for *_, column in shown}),
        "cell": filled, "gap": len(shown) - filled,
    }  # fmt: skip
    many = [f"{n} {noun if n == 1 else f'{noun}s'}" for noun, n in counts.items()]
    alt = f"Evidence map, {many[0]} by {many[1]}: {many[2]} with studies, {many[3]}."
    words = [f"{row}, {column}: {n} {level}" for _, row, column, level, n in data.itertuples(index=False)]
    return Chart(figures, data, title or "Evidence map", sentence(alt), tuple(words))


def _cells(ledger: Ledger) -> Cells:
    """Return how many studies of each certainty there are for each intervention and outcome."""
    surest: dict[tuple[str, str, str], str] = {}
    order = list(LEVELS)
    for study in ledger.studies.values():
        for result in study.results:
            for arm in result.values or study.arms:
                if arm in study.arms:
                    surest[study.arms[arm].intervention, result.outcome, study.id] = "not-graded"
    for synthesis in ledger.syntheses.values():
        level = str(strength_of(synthesis) or "not-graded")
        for line in synthesis.include:
            arms = ledger.studies[line.study].arms if line.study in ledger.studies else {}
            for arm in filter(arms.__contains__, line.intervention):
                key = (arms[arm].intervention, synthesis.pico.outcome or "", line.study)
                if key in surest:
                    surest[key] = min(surest[key], level, key=order.index)
    cells: dict[tuple[str, str], Counter[str]] = {}
    for (intervention, outcome, _), level in sorted(surest.items(), key=lambda item: order.index(item[1])):
        cells.setdefault((intervention, outcome), Counter())[level] += 1
    return cells


def _page(
    ledger: Ledger, cells: Cells, topic: str, rows: Sequence[str] | None, columns: Sequence[str] | None,
    most: int,
) -> Sheetful | None:  # fmt: skip
    """Return what of a topic stands on its page; None where nothing does."""
    record = ledger.topics[topic]
    claimed = [claim.pico for claim in ledger.claims.values() if claim.pico]
    asked = [*claimed, *(synthesis.pico for synthesis in ledger.syntheses.values())]
    unasked = {slug for pico in asked for slug in pico.comparator or ()}
    unasked -= {slug for pico in asked for slug in pico.intervention or ()}
    kept = {
        (down, across): sum(cell.values()) for (down, across), cell in cells.items()
        if down in record.interventions and across in record.outcomes and (rows or down not in unasked)
    }  # fmt: skip
    tally = Counter[str]()
    for (_, outcome), n in kept.items():
        tally[outcome] += n
    weighty = [slug for slug in tally if record.outcomes[slug].importance in ("critical", "important")]
    chosen = sorted(weighty, key=lambda slug: (-tally[slug], slug))[:most]
    if columns is not None:
        chosen = [slug for slug in columns if slug in record.outcomes]
    studied = rows or {down for down, across in kept if across in chosen}
    shown = [slug for slug in (rows or record.interventions) if slug in record.interventions
             and slug in studied]  # fmt: skip
    if not chosen or not shown:
        return None
    left = len(tally) - len(chosen) if columns is None else 0
    note = f"Not shown: {left} outcomes of less importance or with fewer studies." if left > 0 else ""
    return Sheetful(topic, shown, chosen, note)


# Drawing ------------------------------------------------------------------------------------------


def _slots(cell: Mapping[str, int], scale: float, size: float) -> list[float]:
    """Return how wide each disc of a cell is with its number."""
    return [max(2 * scale * math.sqrt(n), width_of(str(n), size)) + 0.05 for n in cell.values()]


def _scale(cells: Sequence[Mapping[str, int]], wide: float, size: Print) -> float:
    """Return the radius of one study: the greatest with which the fullest cell holds its discs."""
    scale = 0.11
    while scale > 0.02 and any(
        sum(_slots(cell, scale, size.note)) > wide - 0.04 or 2 * scale * math.sqrt(max(cell.values())) > 0.35
        for cell in cells if cell
    ):  # fmt: skip
        scale *= 0.97
    return scale


def _drawn(
    page: Sheetful, ledger: Ledger, cells: Cells, room: tuple[float, float, float], size: Print, grey: bool
) -> Figure:
    """Return the figure of one page."""
    label, cell, scale = room
    parts = [
        Part((ledger.outcomes[slug].label,), cell - 0.04, _cell(cells, slug, scale), 0, 0.04 if at else 0.12)
        for at, slug in enumerate(page.columns)
    ]

    def below(sheet: Sheet, y: float, wide: float, _: Sequence[Box]) -> float:
        sheet.text(kit.PAD, y, "Certainty", size.note, bold=True)
        marks = ((partial(_ball, sheet, radius=0.06, level=key), look.word) for key, look in LEVELS.items())
        return sheet.legend(marks, y, wide, 0.12, kit.PAD + width_of("Certainty", size.note, True) + 0.14)

    return grid(
        page.rows, lambda slug: ledger.interventions[slug].label, ledger.topics[page.topic].label, parts,
        size, below=below, notes=(*_NOTES, page.left_out), grey=grey, rows_a_page=len(page.rows), most=label,
        least=0.4 + 0.02 * size.note,
    )[0]  # fmt: skip


def _cell(cells: Cells, column: str, scale: float) -> Callable[[Sheet, str, Box], None]:
    """Return what draws the discs of a cell with their numbers, or the gap."""

    def draw(sheet: Sheet, row: str, box: Box) -> None:
        box = box._replace(left=box.left - 0.02, right=box.right + 0.02)
        sheet.box(*box, "none", kit.RULE, layer=kit.RULES, name="cell")
        cell, size = cells.get((row, column)), sheet.printing.note
        if not cell:
            _gap(sheet, box)
            return
        slots, deepest = _slots(cell, scale, size), scale * math.sqrt(max(cell.values()))
        x, y = box.middle[0] - sum(slots) / 2, box.middle[1] - size * 0.009
        for (level, n), slot in zip(cell.items(), slots, strict=True):
            _ball(sheet, x + slot / 2, y, scale * math.sqrt(n), level, "bubble")
            sheet.text(x + slot / 2, y + deepest + size * 0.0105, n, size, align="center")
            x += slot

    return draw


def _ball(sheet: Sheet, x: float, y: float, radius: float, level: str, name: str = "legend") -> None:
    """Draw a disc filled as far as the evidence is sure."""
    look = LEVELS[level]
    sheet.disc(x, y, radius, look.fill if look.part == 1 else kit.WHITE, name=name)
    if 0 < look.part < 1:
        wedge = Path.wedge(-90, -90 + 360 * look.part)
        points = np.asarray(wedge.vertices, dtype=float) * radius + (x, y)
        sheet.shape(Path(points, wedge.codes), look.fill, kit.INK, 0.5, layer=kit.OVER, name="wedge")


def _gap(sheet: Sheet, box: Box) -> None:
    """Hatch a cell and write that it is a gap."""
    (left, top, right, bottom), (x, y) = box, box.middle
    for step in range(1, math.ceil((right - left + bottom - top) / 0.07)):
        far = 0.07 * step
        begin = (left + far, top) if left + far <= right else (right, top + far - (right - left))
        end = (left, top + far) if top + far <= bottom else (left + far - (bottom - top), bottom)
        sheet.line([begin, end], _HATCH, 0.5, layer=kit.BACK, name="hatch")
    half = width_of("gap", sheet.printing.note) / 2 + 0.03
    sheet.box(x - half, y - 0.07, x + half, y + 0.07, kit.WHITE, layer=kit.RULES, name="gap")
    sheet.text(x, y, "gap", sheet.printing.note, align="center", colour=kit.MUTED)
