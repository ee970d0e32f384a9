"""The overclaim gap: how strongly each claim of an article is worded, against what its evidence allows."""

from typing import Any

import pandas as pd

from mesoevidence.charts import kit
from mesoevidence.charts.certain import certainty_part, verdict_part
from mesoevidence.charts.chart import Chart, having, sentence
from mesoevidence.charts.grid import Box, Part, grid
from mesoevidence.charts.kit import Sheet, Width, printing
from mesoevidence.charts.wording import ALLOWED, NOTE, STEPS, WORDED, by_headings, glance, legend, mark
from mesoevidence.ledger import of
from mesoevidence.problems import EvidenceError

_GAP = "#F4B79C"


def overclaim(
    data: object, *, title: str | None = None, width: Width = "natural", grey: bool = False,
    sort: str = "gap", rows_a_page: int = 40,
) -> Chart:  # fmt: skip
    """Draw how far claims reach beyond their evidence: each claim of an article, or all at a glance.

    Parameters
    ----------
    data : DataFrame, Evidence or Ledger
        The table of an audit (`says`, `wording`, `evidence_strength`, `overclaim` and `verdict`, a row for
        each place of the text) is drawn claim by claim; evidence at a glance, each claim a mark at its
        strongest wording.
    title : str, optional
        The name of the chart.
    width : {"natural", "double", "single"}
        As wide as needed, 180 mm or 89 mm; a narrow page leaves out certainty, then verdicts.
    grey, rows_a_page
        Greys instead of colours; when to begin a new page.
    sort : {"gap", "text"}
        Claim by claim: the widest gap first, or the order of the text.

    Returns
    -------
    Chart
        Claim by claim: an open circle where its evidence allows a claim to speak, a diamond or a dot where
        it speaks, a bar between them. At a glance: a diamond or a dot for each claim that can be measured, by
        its wording and the certainty of its evidence; shaded where that wording is allowed.

    Notes
    -----
    Wording is counted in the steps of GRADE guidelines 26: high certainty allows "does", moderate "probably",
    low "may", very low or none nothing. The gap is about wording, not about truth.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "says": ["It regrows hair", "It may sting"], "wording": ["certain", "possible"],
    ...     "overclaim": [3, 0], "evidence_strength": ["very-low", "low"],
    ...     "verdict": ["insufficient", "supported"]})
    >>> overclaim(table)
    <Chart: Wording against evidence: 1 of 2 claims are worded more strongly than their evidence allows, ...>
    """
    if not isinstance(data, pd.DataFrame):
        return glance(of(data), title or "How strongly claims are worded, and what their evidence allows",
                      printing(width), grey=grey)  # fmt: skip
    having(data, ["says", "wording", "evidence_strength", "overclaim", "verdict"])
    kept = data[data["overclaim"].notna() & data["wording"].isin(list(WORDED))]
    rows, size = _measured(kept, sort), printing(width)
    most = rows.groupby("says")["gap"].max()
    beyond = most[most > 0]
    mean = f", by {beyond.mean():.1f} steps on average" if len(beyond) else ""
    said = f"{len(beyond)} of {len(most)} claims are worded more strongly than their evidence allows{mean}"
    places = kept.groupby(["says", "wording"])["at"].agg(list) if "at" in data else ()
    left_out = f"Places whose claim was not graded: {len(data) - len(kept)}."
    notes = f"{said}. {left_out}{by_headings(places)}", NOTE
    parts = [
        Part(STEPS, 2.6 if size.width is None else min(2.3, 0.5 * size.width), _gap),
        certainty_part(size.note, 2),
        verdict_part(size.note, 1),
    ]
    drawn: list[Any] = list(rows.itertuples(index=False))
    figures = grid(
        drawn, lambda row: str(row.says), "What the article says", parts, size,
        below=lambda sheet, y, wide, _: legend(sheet, y, wide, ("allowed", "beyond", "within")),
        notes=notes, grey=grey, rows_a_page=rows_a_page,
    )  # fmt: skip
    words = [f"{row.says}: worded {STEPS[row.worded]}, evidence allows {STEPS[row.allowed]}" for row in drawn]
    alt = sentence(f"Wording against evidence: {said}.")
    return Chart(figures, rows, title or "Wording against evidence", alt, tuple(words))


def _measured(kept: pd.DataFrame, sort: str) -> pd.DataFrame:
    """Return a row for each claim and wording that could be measured, the same words once."""
    if sort not in ("gap", "text"):
        raise EvidenceError(f"`sort` is gap or text, not {sort!r}")
    if kept.empty:
        raise EvidenceError("no claim of this article has both a wording and evidence that was graded")
    worded, gap = kept["wording"].map(WORDED).astype(int), kept["overclaim"].astype(int)
    strength = kept["evidence_strength"].astype(str)
    known = strength.map(ALLOWED).fillna(0).astype(int)
    rows = pd.DataFrame({
        "says": kept["says"], "worded": worded, "gap": gap, "strength": strength,
        "allowed": (worded - gap).clip(lower=0).where(gap > 0, known),
        "verdict": kept["verdict"].astype(object).fillna("not-assessed").astype(str),
    }).drop_duplicates(["says", "worded"], ignore_index=True)  # fmt: skip
    by = ["gap", "worded"]
    return rows.sort_values(by, ascending=False, kind="stable", ignore_index=True) if sort == "gap" else rows


def _gap(sheet: Sheet, row: Any, box: Box) -> None:  # noqa: ANN401 - a row of the table
    """Draw what is allowed, what is said, and the bar between them."""
    pitch, y = (box.right - box.left) / len(STEPS), box.middle[1]
    places = [box.left + (place + 0.5) * pitch for place in range(len(STEPS))]
    for x in places:
        sheet.line([(x, box.top), (x, box.bottom)], kit.GRID, 0.8, layer=kit.RULES, name="step")
    begin, end = places[row.allowed], places[row.worded]
    if row.worded > row.allowed:
        sheet.box(begin, y - 0.045, end, y + 0.045, _GAP, layer=kit.RULES, name="gap")
        for x in (place + pitch / 2 for place in places[row.allowed : row.worded]):
            mark(sheet, x, y, "steps")
        mark(sheet, end, y, "beyond")
    else:
        mark(sheet, end, y, "within")
    mark(sheet, begin, y, "allowed")
