"""Wording against evidence: its steps and its marks, and all claims at a glance."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import accumulate, pairwise, product
from math import floor
from types import MappingProxyType

import pandas as pd
from matplotlib.figure import Figure

from mesoevidence.charts import kit
from mesoevidence.charts.certain import certainty, certainty_span
from mesoevidence.charts.chart import Chart, sentence
from mesoevidence.charts.grid import Box
from mesoevidence.charts.kit import Print, Sheet, width_of, wrap
from mesoevidence.conclusions import conclude
from mesoevidence.ledger import Ledger
from mesoevidence.tables import strongest_wording

# GRADE guidelines 26 (Santesso 2020, J Clin Epidemiol 119:126): the verb each certainty allows.
STEPS = ("nothing", "“may”", "“probably”", "“does”")
WORDED = MappingProxyType({"certain": 3, "probable": 2, "possible": 1})
ALLOWED = MappingProxyType({"high": 3, "moderate": 2, "low": 1})
NOTE = "The gap is about wording, not truth: steps of GRADE guidelines 26. Judgements are drafts, unreviewed."
_ONCE = "Each claim of an effect or a frequency stands once, at its strongest wording."
_HEADING = re.compile(r"\b(heading|headline|title)\b", re.IGNORECASE)
_COLUMNS = ("none", "very-low", "low", "moderate", "high")
_SHADE, _PITCH = "#DCEAF6", 0.19  # where a wording is allowed; between two marks, at most

Cells = Counter[tuple[str, str]]  # how many claims have a wording and a certainty


def glance(ledger: Ledger, title: str, size: Print, *, grey: bool) -> Chart:
    """Draw each claim that can be measured by its strongest wording and the certainty of its evidence."""
    concluded = [(claim, conclude(ledger, claim)) for claim in ledger.claims.values()]
    measured = [(claim, found.strength) for claim, found in concluded if found.overclaim is not None]
    cells = Cells((strongest_wording(claim) or "", strength) for claim, strength in measured)
    total, beyond = cells.total(), sum(n for cell, n in cells.items() if _beyond(*cell))
    said = f"{beyond} of {total} claims are worded more strongly than their evidence allows"
    both = product(WORDED, (*_COLUMNS, "not-graded"))
    rows = [(*cell, n, _beyond(*cell)) for cell in both if (n := cells[cell])]
    words = (
        f"Worded {STEPS[WORDED[wording]]}, certainty {strength.replace('-', ' ')}: {n}, "
        + (f"{gap} step{'s' * (gap > 1)} beyond" if gap else "within what is allowed")
        for wording, strength, n, gap in rows
    )
    worded = ((claim.appearances, strongest_wording(claim)) for claim, _ in measured)
    places = ([item.at for item in made if item.wording == wording] for made, wording in worded)
    notes = f"{_ONCE}{by_headings(places)}", NOTE
    alt = sentence(f"{said}: claims by wording (does, probably, may) and certainty of the evidence (GRADE).")
    data = pd.DataFrame(rows, columns=["wording", "evidence_strength", "claims", "steps_beyond"])
    return Chart((_drawn(cells, f"{said}.", notes, Sheet(size, grey)),), data, title, alt, tuple(words))


def _beyond(wording: str, strength: str) -> int:
    """Return by how many steps a wording exceeds what is allowed."""
    return max(0, WORDED[wording] - ALLOWED.get(strength, 0))


def by_headings(places: Iterable[Iterable[str]]) -> str:
    """Return how many claims are worded so by headings alone, which count as they are worded."""
    alone = sum(all(_HEADING.search(at) for at in own) for own in places)
    return f" Headings count as they are worded: {alone} by a heading alone." if alone else ""


def _drawn(cells: Cells, said: str, notes: Sequence[str], sheet: Sheet) -> Figure:
    """Return the figure: what is said first, then the cells, then what the marks mean."""
    size = sheet.printing
    first = width_of("worded “probably”", size.body, True) + 0.1
    first = first if size.width is None else min(first, 0.2 * size.width)
    wide = size.width or 2 * kit.PAD + first + 5 * 1.2
    room = wide - 2 * kit.PAD - first
    fourth = max(width_of("“probably”", size.body, True) + 0.06, room / 5)  # holds the longest word
    y = sheet.paragraph(kit.PAD, kit.PAD + 0.08, said, wide - 2 * kit.PAD, size.body + 0.5, bold=True)
    widths = [(room - fourth) / 4] * 3 + [fourth, (room - fourth) / 4]
    tops = list(accumulate(widths, initial=kit.PAD + first))
    y = _headed(sheet, cells, tops, y + 0.08)
    for wording, step in WORDED.items():
        high = 0.8 * max(0.7, min(room / 5, 1.0))
        said = f"worded {STEPS[step]}"
        sheet.stack(kit.PAD, y + high / 2, wrap(said, first - 0.05, size.body, True), bold=True)
        for place, strength in enumerate(_COLUMNS):
            count = cells[wording, strength] + (cells[wording, "not-graded"] if strength == "none" else 0)
            _cell(sheet, Box(tops[place], y, tops[place + 1], y + high), count, _beyond(wording, strength))
        y += high
    y = legend(sheet, y + 0.2, wide, ("beyond", "within", "shaded", "steps"))
    return sheet.figure(wide, sheet.notes(notes, y, wide) + kit.PAD)


def _headed(sheet: Sheet, cells: Cells, tops: Sequence[float], y: float) -> float:
    """Write what each certainty allows, over the certainties; return the y under them."""
    size = sheet.printing
    first = wrap("Evidence allows", tops[0] - kit.PAD - 0.05, size.body, True)
    y += 0.5 * (len(first) - 1) * size.body * kit.LEADING
    sheet.stack(kit.PAD, y, first, bold=True)
    spans = (("nothing", 0, 2), ("“may”", 2, 3), ("“probably”", 3, 4), ("“does”", 4, 5))
    for text, begin, end in spans:
        sheet.text((tops[begin] + tops[end]) / 2, y, text, align="center", bold=True)
        under = y + size.body * 0.0118
        sheet.line([(tops[begin] + 0.05, under), (tops[end] - 0.05, under)], kit.RULE, 0.8)
    y += 0.5 * (len(first) - 1) * size.body * kit.LEADING + size.body * 0.026
    none = "none" + (" or not graded" if any(strength == "not-graded" for _, strength in cells) else "")
    names = [none, *_COLUMNS[1:]]
    rooms = [right - left - 0.04 for left, right in pairwise(tops)]
    lines = [wrap(name.replace("-", " "), room, size.note) for name, room in zip(names, rooms, strict=True)]
    deep = max(map(len, lines))
    y += (deep - 1) / 2 * size.note * kit.LEADING
    for place, (strength, words) in enumerate(zip(_COLUMNS, lines, strict=True)):
        wide = certainty_span(strength, size.note)
        x = (tops[place] + tops[place + 1]) / 2
        if strength != "none" and wide < rooms[place] - 0.02:
            certainty(sheet, Box(x - wide / 2, y, x + wide / 2, y), strength)
        else:
            sheet.stack(x, y, words, size=size.note, align="center")
    return y + deep / 2 * size.note * kit.LEADING + 0.06


def _cell(sheet: Sheet, box: Box, count: int, beyond: int) -> None:
    """Draw a cell: shaded where it is allowed, else how many steps beyond; its count, and a mark a claim."""
    sheet.box(*box, "none" if beyond else _SHADE, kit.RULE, name="cell")
    if not count:
        return
    size = sheet.printing.body
    sheet.text(box.right - 0.06, box.top + size * 0.0145, str(count), size, align="right", bold=True)
    for place in range(beyond):
        _chevron(sheet, box.left + 0.08 + 0.06 * place, box.top + size * 0.0145)
    left, top = box.left + 0.05, box.top + size * 0.026
    wide, high = box.right - box.left - 0.1, box.bottom - top - 0.05
    pitch = next(
        p / 400 for p in range(round(400 * _PITCH), 0, -1)
        if floor(400 * wide / p) * floor(400 * high / p) >= count or p == 1
    )  # fmt: skip
    a_row = floor(wide / pitch)
    for place in range(count):
        x, y = left + pitch * (place % a_row + 0.5), top + pitch * (place // a_row + 0.5)
        mark(sheet, x, y, "beyond" if beyond else "within", pitch / _PITCH)


# Marks --------------------------------------------------------------------------------------------


def mark(sheet: Sheet, x: float, y: float, kind: str, scale: float = 1.0) -> None:
    """Draw one mark: a ring for what is allowed, a diamond beyond it, a dot within."""
    if kind == "beyond":
        half = 0.08 * scale
        corners = [(x, y - half), (x + half, y), (x, y + half), (x - half, y)]
        sheet.shape(corners, kit.VERMILLION, name=kind)
    elif kind == "within":
        sheet.disc(x, y, 0.045 * scale, kit.BLUE, name=kind)
    elif kind == "shaded":
        sheet.box(x - 0.08, y - 0.055, x + 0.08, y + 0.055, _SHADE, kit.RULE, layer=kit.SHAPES, name=kind)
    elif kind == "steps":
        _chevron(sheet, x, y)
    else:
        sheet.disc(x, y, 0.065 * scale, kit.WHITE, name=kind)


def _chevron(sheet: Sheet, x: float, y: float) -> None:
    points = [(x - 0.02, y - 0.035), (x + 0.02, y), (x - 0.02, y + 0.035)]
    sheet.line(points, kit.VERMILLION, 1, layer=kit.OVER, name="step-beyond")


_MEANS = MappingProxyType(
    {"allowed": "what the evidence allows", "beyond": "worded beyond it", "within": "worded within it",
    "shaded": "where the wording is allowed", "steps": "one step beyond"}
)  # fmt: skip


def legend(sheet: Sheet, y: float, wide: float, kinds: Sequence[str]) -> float:
    """Explain the marks; return the y below."""
    return sheet.legend(((partial(mark, sheet, kind=kind), _MEANS[kind]) for kind in kinds), y, wide)
