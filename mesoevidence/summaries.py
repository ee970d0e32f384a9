"""The summary of findings of a topic, or of chosen syntheses, with its evidence profile."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from mesoevidence import console, files, layouts, selection, writers
from mesoevidence.bodies import inside
from mesoevidence.documents import Block, Document, Paragraph, named, paragraph
from mesoevidence.findings import Finding, finding
from mesoevidence.layouts import Letters
from mesoevidence.ledger import Ledger, of
from mesoevidence.problems import EvidenceError
from mesoevidence.tables import CERTAINTY, NUMBER, TEXT, WHOLE, Dtype
from mesoevidence.vocabulary import Importance, words

Which = Literal["both", "summary", "profile"]

USUAL = 7  # GRADE guidelines 12: J Clin Epidemiol 2013;66:158, doi:10.1016/j.jclinepi.2012.01.012
_STAR = (
    "* The risk with the intervention, and its interval, follows from the risk with the comparison and the "
    "relative effect."
)
# In our own words, after what the place below has from the GRADE Handbook.
_AFTER = "after doi:10.1186/1741-7015-10-33, table 1"
_LEVELS = (
    ("High", "the true effect is very probably close to the estimate"),
    ("Moderate", "the true effect is probably close to the estimate, but may be well away from it"),
    ("Low", "the true effect may be well away from the estimate"),
    ("Very low", "the true effect is probably well away from the estimate"),
)
_SMD = (
    "A standardised mean difference (SMD) counts in standard deviations, because the studies measured on "
    "different scales: about 0.2 is small, 0.5 moderate and 0.8 large (Cohen 1988)."
)


@dataclass(frozen=True, slots=True, repr=False)
class SummaryOfFindings:
    """What is known of several outcomes, one row each, by the name of the field.

    Attributes
    ----------
    title : str
        The comparison and the topic, or the topic alone where there are several comparisons.
    findings : tuple of Finding
        One for each synthesis, in the order shown.
    warnings : tuple of str
        What a reader must know before using the table.
    notice : str
        What stands below every table.
    """

    title: str
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    notice: str

    @property
    def table(self) -> pd.DataFrame:
        """The summary of findings as numbers and words, one row a synthesis; risks per 1000."""
        rows = [(*_question(found), *_numbers(found), *_judged(found)) for found in self.findings]
        return pd.DataFrame(rows, columns=list(_SUMMARY), dtype=object).astype(dict(_SUMMARY))

    @property
    def profile(self) -> pd.DataFrame:
        """The evidence profile, each domain of certainty in a word, one row a synthesis."""
        rows = [_profiled(found) for found in self.findings]
        return pd.DataFrame(rows, columns=list(_PROFILE), dtype=object).astype(dict(_PROFILE))

    def save(self, path: str | os.PathLike[str], which: Which = "both") -> Path:
        """Write the summary of findings and its evidence profile in the form that the suffix names.

        Parameters
        ----------
        path : path
            Ends in .html, .md, .tex, .docx, .xlsx or .csv.
        which : {"both", "summary", "profile"}
            What to write; a CSV with both has the columns of both in one table.

        Raises
        ------
        EvidenceError
            When there is no form for that suffix, or the disk refuses.
        """
        target = Path(path)
        if target.suffix == ".csv":
            files.write(target, writers.csv(self._frame(which)))
        else:
            writers.write(self.document(which), target)
        return target

    def _frame(self, which: Which) -> pd.DataFrame:
        if which != "both":
            return self.table if which == "summary" else self.profile
        more = self.profile.drop(columns=[name for name in _PROFILE if name in _SUMMARY])
        return self.table.join(more)

    def document(self, which: Which = "both") -> Document:
        """Return everything that is shown, as a value that a writer can lay out."""
        letters = Letters()
        grids: list[Block] = []
        if which != "profile":
            grids.append(layouts.summary(self.findings, f"Summary of findings: {self.title}", letters))
        if which != "summary":
            grids.append(layouts.profile(self.findings, f"Evidence profile: {self.title}", letters))
        usual = [paragraph(self.warnings[0])] if len(self.findings) > USUAL else []
        notes = [*self.notes(), *usual, *letters.explained(), named("Notice", self.notice)]
        return Document(self.title, (*self._facts(), *grids, *notes), turned=True)

    def _facts(self) -> list[Paragraph]:
        sides = {found.comparison.sides for found in self.findings}
        setting = named("Setting", "not recorded")
        if len(sides) > 1:
            return [named("Comparisons", f"{len(sides)}, each above its outcomes"), setting]
        populations = dict.fromkeys(found.comparison.population or "not recorded" for found in self.findings)
        treated, compared = sides.pop()
        return [
            named("Population", " / ".join(populations)),
            setting,
            named("Intervention", layouts.said(treated)),
            named("Comparison", layouts.said(compared) or "none"),
        ]

    def notes(self) -> list[Paragraph]:
        """Return what a reader of the tables must know, the explanations apart."""
        measures = {found.certainty.seen.measure for found in self.findings}
        graded = "; ".join(f"{word}: {said}" for word, said in _LEVELS)
        starred = any(found.anticipated and found.anticipated.difference for found in self.findings)
        said = [*([_STAR] if starred else []), f"{layouts.abbreviations(self.findings)}."]
        said += [_SMD] if "SMD" in measures else []
        return [*map(paragraph, said), named("Certainty of the evidence (GRADE)", f"{graded} ({_AFTER}).")]

    def __repr__(self) -> str:
        return f"<SummaryOfFindings {self.title}: {console.plural(len(self.findings), 'outcome')}>"

    def _repr_html_(self) -> str:
        return writers.fragment(self.document("summary"))


def summary_of_findings(
    data: object, *, topic: str | None = None, ids: str | Iterable[str] | None = None
) -> SummaryOfFindings:
    """Return what is known of the outcomes of a topic, or of chosen syntheses, and how certain it is.

    Parameters
    ----------
    data : Evidence or Ledger
        Where the syntheses stand.
    topic : str, optional
        Every synthesis of it: those with a certainty first, then by importance of the outcome, then by how
        many claims rest on it.
    ids : str or iterable of str, optional
        The syntheses in the order wanted; at most seven outcomes are usual.

    Returns
    -------
    SummaryOfFindings
        Its columns are those of the Cochrane Handbook, chapter 14; risks per 1000 follow from the
        recorded baseline risk, else from the comparison arms of the studies (GRADE guidelines 12,
        doi:10.1016/j.jclinepi.2012.01.012).

    Raises
    ------
    EvidenceError
        When neither or both are named, or nothing bears such a name.

    Examples
    --------
    >>> import mesoevidence as me
    >>> found = me.summary_of_findings(me.load(), ids="meso-v-saline-response")
    >>> found.table["certainty"].tolist(), found.table["studies"].tolist()
    (['very-low'], [4])
    """
    ledger = of(data)
    if (topic is None) == (ids is None):
        raise EvidenceError(
            "name a topic, or the ids of syntheses: summary_of_findings(evidence, topic='its-id')"
        )
    chosen = (
        [ids] if isinstance(ids, str) else _of_topic(ledger, topic) if topic is not None else list(ids or ())
    )
    found = [finding(ledger, name) for name in dict.fromkeys(chosen)]
    if not found:
        raise EvidenceError(f"there is no synthesis of {topic or 'no id'}")
    if topic is not None:
        asked = Counter(line.synthesis for claim in ledger.claims.values() for line in claim.evidence)
        found.sort(key=lambda item: (*_place(item), -asked[item.certainty.synthesis]))
    ledger_said = f"{layouts.capital(files.SHIPPED)}. " if getattr(data, "shipped", False) else ""
    label = ledger.topics[topic].label if topic else "; ".join(dict.fromkeys(item.topic for item in found))
    return SummaryOfFindings(
        _title(found, label),
        tuple(found),
        tuple(_warnings(found)),
        f"{ledger_said}{files.notice(ledger.root)}",
    )


def _of_topic(ledger: Ledger, topic: str) -> list[str]:
    _, _, syntheses = selection.SELECTORS["topic"](ledger, ledger, topic)
    return sorted(syntheses)


def _place(found: Finding) -> tuple[int, int]:
    """Return where a row stands: the judged first, then the important; alike ones by how many claims ask."""
    level = found.certainty.level
    ranks = words(Importance)
    rank = ranks.index(found.importance) if found.importance else len(ranks)
    return (2 if level is None else 1 if level == "not-graded" else 0), rank


def _title(found: Sequence[Finding], label: str) -> str:
    if len({item.comparison.sides for item in found}) > 1:
        return label
    said = layouts.comparison_said(found[0].comparison)
    return f"{said} for {inside(label)}" if label else said


def _warnings(found: Sequence[Finding]) -> list[str]:
    said = []
    if len(found) > USUAL:
        said.append(
            f"{len(found)} outcomes stand here, where at most {USUAL} are usual "
            "(doi:10.1016/j.jclinepi.2012.01.012); choose them by their ids."
        )
    for item in found:
        if item.anticipated and item.anticipated.beyond:
            said.append(f"{item.certainty.question.outcome}: {layouts.beyond_said(item.anticipated)}")
    return said


# The tables -------------------------------------------------------------------------------------


def _question(found: Finding) -> tuple[object, ...]:
    treated, compared = map(layouts.said, found.comparison.sides)
    return (
        found.certainty.synthesis, found.comparison.population or None, treated, compared or None,
        found.certainty.question.outcome, found.follow_up, found.importance,
    )  # fmt: skip


def _numbers(found: Finding) -> tuple[object, ...]:
    """Return risks, effect and persons as numbers; what is not known is absent."""
    seen, risks = found.certainty.seen, found.anticipated
    without = 1000 * risks.without if risks and risks.without is not None else None
    treated = [1000 * end for end in risks.treated] if risks else [None] * 3
    shown = seen.shown or (None,) * 3
    source = risks.source or None if risks else None
    unit = found.certainty.question.unit if seen.measure == "MD" else None
    return (without, source, *treated, seen.measure, *shown, unit, seen.k, seen.persons)


def _judged(found: Finding) -> tuple[object, ...]:
    certainty = found.certainty
    reasons = " ".join(layouts.reasons_of(certainty)) or certainty.why
    standing = certainty.standing if certainty.level else None
    return certainty.level, reasons, standing, certainty.plain, found.not_pooled


def _profiled(found: Finding) -> tuple[object, ...]:
    certainty = found.certainty
    return (
        certainty.synthesis, certainty.question.outcome, certainty.seen.k, "; ".join(found.designs) or None,
        *(layouts.domain_word(certainty, name) for name in layouts.PROFILED), layouts.other_words(certainty),
        found.treated.persons, found.compared.persons, found.treated.events, found.compared.events,
        layouts.relative(found) or None, layouts.absolute(found) or None, certainty.level, found.importance,
    )  # fmt: skip


def _text(*names: str) -> dict[str, Dtype]:
    return dict.fromkeys(names, TEXT)


_SUMMARY: Mapping[str, Dtype] = {
    **_text("synthesis", "population", "intervention", "comparator", "outcome", "follow_up", "importance"),
    "comparator_risk": NUMBER,
    "baseline_source": TEXT,
    **dict.fromkeys(("intervention_risk", "risk_low", "risk_high"), NUMBER),
    "measure": TEXT,
    **dict.fromkeys(("estimate", "ci_low", "ci_high"), NUMBER),
    "unit": TEXT,
    "studies": WHOLE,
    "participants": WHOLE,
    "certainty": CERTAINTY,
    **_text("reasons", "standing", "comment", "not_pooled"),
}
_PROFILE: Mapping[str, Dtype] = {
    **_text("synthesis", "outcome"),
    "studies": WHOLE,
    **_text("design", *layouts.PROFILED, "other"),
    **dict.fromkeys(("intervention_n", "comparator_n", "intervention_events", "comparator_events"), WHOLE),
    **_text("relative", "absolute"),
    "certainty": CERTAINTY,
    "importance": TEXT,
}
