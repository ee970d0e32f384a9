"""The verdict matrix: what each kind of evidence says of each claim, how sure that is, and what follows."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from mesoevidence.charts import kit
from mesoevidence.charts.certain import DIRECTIONS, VERDICTS, cell, certainty_part, verdict_part
from mesoevidence.charts.chart import Chart, ledger_of, sentence
from mesoevidence.charts.grid import Box, Part, grid
from mesoevidence.charts.kit import Sheet, Width, printing, width_of
from mesoevidence.evidence import Evidence
from mesoevidence.ledger import Ledger
from mesoevidence.model import Claim
from mesoevidence.problems import EvidenceError
from mesoevidence.strength import evidence_strength

# Which kind of evidence a design is; what is not named is "Other".
LINES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"Synthesis": (), "Trial": ("rct", "rct-cluster", "rct-crossover", "rct-within-person", "quasi-rct",
    "nonrandomised-trial", "nonrandomised-within-person"),
    "Observed": ("cohort", "case-control", "cross-sectional", "outbreak"),
    "No control": ("before-after", "case-series", "case-report"),
    "Laboratory": ("in-vitro", "ex-vivo", "animal", "instrument"),
    "Review": ("systematic-review", "meta-analysis", "network-meta-analysis", "narrative-review"),
    "Other": ()}
)  # fmt: skip
_NOTES = (
    "Numbers count lines of evidence by direction, never by p: ▲ supports, ■ neutral, ▼ contradicts.",
    "Judgements are drafts, unreviewed. A verdict speaks of a claim as it is worded, never of a person.",
)


class Row(NamedTuple):
    """One claim: its lines of evidence, counted by kind and direction, and what was judged."""

    claim: str
    counts: Mapping[str, Counter[str]]
    strength: str
    verdict: str


def verdict_matrix(
    evidence: Evidence, *, background: bool = False, width: Width = "natural", grey: bool = False,
    title: str | None = None, rows_a_page: int = 30,
) -> Chart:  # fmt: skip
    """Draw what each kind of evidence says of each claim.

    Parameters
    ----------
    evidence : Evidence
        Whole, or the part that ``evidence.select(topic=...)`` gives.
    background : bool
        Also show claims that are background and are not judged.
    width : {"natural", "double", "single"}
        As wide as needed, 180 mm or 89 mm; a narrow page leaves out the kinds of evidence, then certainty.
    grey, title, rows_a_page
        Greys instead of colours; the name of the chart; when to begin a new page.

    Returns
    -------
    Chart
        Lines of evidence are counted by direction; certainty is that of the deciding line.

    Raises
    ------
    EvidenceError
        When there is no claim to show.

    Examples
    --------
    >>> import mesoevidence as me
    >>> verdict_matrix(me.load().select(claim="ha-binds-1000x-water"))
    <Chart: Verdicts on 1 claim: 1 contradicted.>
    """
    ledger = ledger_of(evidence)
    claims = [claim for claim in ledger.claims.values() if background or claim.kind != "background"]
    if not claims:
        raise EvidenceError("there is no claim to show")
    rows, size = [_row(claim, ledger) for claim in claims], printing(width)
    used = [name for name in LINES if any(row.counts[name] for row in rows)]
    kinds = [
        Part((name,), max(width_of(name, size.note, True), 0.55), partial(_lines, kind=name), 2, 0.08)
        for name in used
    ]
    parts = [*kinds, verdict_part(size.note), certainty_part(size.note, 1)]
    figures = grid(
        rows,
        lambda row: str(row.claim),
        "Claim",
        parts,
        size,
        notes=_NOTES,
        grey=grey,
        rows_a_page=rows_a_page,
    )
    tally = Counter(row.verdict for row in rows)
    said = ", ".join(f"{tally[word]} {word.replace('-', ' ')}" for word in VERDICTS if tally[word])
    data = pd.DataFrame([
        {"claim": row.claim, **{name: _said(row.counts[name]) for name in used}, "certainty": row.strength,
         "verdict": row.verdict} for row in rows
    ])  # fmt: skip
    words = (f"{row.claim}: {row.verdict}, certainty {row.strength}".replace("-", " ") for row in rows)
    alt = sentence(f"Verdicts on {len(rows)} {'claim' if len(rows) == 1 else 'claims'}: {said}.")
    return Chart(figures, data, title or "Verdicts on claims", alt, tuple(words))


def _row(claim: Claim, ledger: Ledger) -> Row:
    """Return a claim with its lines of evidence counted by kind and direction."""
    kinds = {design: name for name, designs in LINES.items() for design in designs}
    counts = {name: Counter[str]() for name in LINES}
    for line in claim.evidence:
        study = ledger.studies.get(line.study or "")
        name = "Synthesis" if line.synthesis else kinds.get(study.design, "Other") if study else "Other"
        counts[name][line.direction] += 1
    verdict = claim.verdict.judgement if claim.verdict else "not-assessed"
    return Row(claim.claim, counts, evidence_strength(claim, ledger), verdict)


def _said(part: Mapping[str, int]) -> str:
    """Return the lines of one kind, such as "2▲ 1▼"."""
    return " ".join(f"{part[word]}{look.sign}" for word, look in DIRECTIONS.items() if word in part)


def _lines(sheet: Sheet, row: Row, box: Box, kind: str) -> None:
    """Draw the lines of a kind of evidence; a dash where there is none."""
    if part := row.counts[kind]:
        words = [word for word in DIRECTIONS if word in part and word != "neutral"] or ["neutral"]
        cell(sheet, box, DIRECTIONS["mixed" if len(words) > 1 else words[0]]._replace(sign=""), _said(part))
    else:
        sheet.text(*box.middle, "–", sheet.printing.note, align="center", colour=kit.MUTED)
