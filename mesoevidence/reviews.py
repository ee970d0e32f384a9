"""The reviewer's document of a topic: what is known of it, how surely, and what is claimed against that."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from mesoevidence import NOTICE, __version__, appraisal, console, files, layouts
from mesoevidence.audits import articles, audit
from mesoevidence.bodies import inside, label_of
from mesoevidence.certainty import strength_of
from mesoevidence.charts.forest import forest
from mesoevidence.conclusions import conclude
from mesoevidence.documents import (
    Block,
    Cell,
    Document,
    Grid,
    Heading,
    Line,
    Part,
    cell,
    named,
    paragraph,
    pictures,
)  # fmt: skip
from mesoevidence.evidence import Evidence
from mesoevidence.findings import Finding
from mesoevidence.formulas import MEASURES
from mesoevidence.layouts import Letters, capital
from mesoevidence.ledger import Ledger
from mesoevidence.model import Claim, Study
from mesoevidence.pooled import Pooled
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.summaries import SummaryOfFindings, summary_of_findings
from mesoevidence.tables import persons
from mesoevidence.vocabulary import DESIGNS, EvidenceStrength, VerdictWord, Wording, words

MADE = "Made by mesoevidence {version} from records with the digest {digest}."
_READ = {"full-text": "full text", "secondary": "another's account"}


class Work(NamedTuple):
    """What the sections are written from: the ledger, the part of it on one topic, and what they share."""

    evidence: Evidence
    part: Evidence
    found: SummaryOfFindings | None
    pooled: dict[str, Pooled | EvidenceError]
    letters: Letters
    numbers: dict[str, int]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the syntheses found, as a summary of findings orders them."""
        return self.found.findings if self.found else ()

    @property
    def ledger(self) -> Ledger:
        """The records and references, those on other topics too."""
        return self.evidence.ledger

    def cite(self, *keys: str) -> str:
        """Return the numbers of references in brackets, each given at its first mention."""
        numbers = [str(self.numbers.setdefault(key, len(self.numbers) + 1)) for key in keys]
        return f" [{', '.join(numbers)}]" if numbers else ""

    def name(self, study: str) -> str:
        """Return a study as the charts name it, with the numbers of its reports."""
        if study not in self.ledger.studies:
            return study
        return f"{label_of(self.ledger, study)}{self.cite(*self.ledger.studies[study].reports)}"

    def included(self) -> list[Study]:
        """Return the studies of the syntheses, each once."""
        named = (line.study for synthesis in self.part.syntheses.values() for line in synthesis.include)
        return [self.ledger.studies[name] for name in dict.fromkeys(named) if name in self.ledger.studies]


def review(evidence: Evidence, topic: str) -> Document:
    """Return the reviewer's document of a topic.

    Parameters
    ----------
    evidence : Evidence
        What `load` returns.
    topic : str
        The id of the topic.

    Returns
    -------
    Document
        The sections of `SECTIONS`, for a writer to lay out.

    Raises
    ------
    EvidenceError
        When there is no such topic.
    """
    part = evidence.select(topic=topic)
    found = summary_of_findings(evidence, topic=topic) if part.syntheses else None
    work = Work(evidence, part, found, {key: _pooled(evidence, key) for key in part.syntheses}, Letters(), {})
    blocks: list[Block] = []
    for title, write in SECTIONS.items():
        section = list(write(work))
        blocks += [Heading(title), *section] if section else []
    return Document(f"{evidence.topics[topic].label}: a summary of the evidence", tuple(blocks))


def _pooled(evidence: Evidence, synthesis: str) -> Pooled | EvidenceError:
    """Return a question pooled, or why it is not."""
    try:
        return pool(evidence, synthesis)
    except EvidenceError as error:
        return error


def _question(work: Work) -> Iterator[Block]:
    """Yield each comparison with the outcomes that were looked for."""
    asked: dict[tuple[str, str, str], list[str]] = {}
    for found in work.findings:
        asked.setdefault(found.comparison, []).append(inside(found.certainty.question.outcome))
    if not asked:
        yield paragraph("No synthesis was recorded on this topic; what is claimed of it stands below.")
        return
    yield paragraph(
        f"What is known of {console.plural(len(asked), 'comparison')}, how certain is it, and do articles "
        "claim more than that?"
    )
    rows = [
        tuple(cell(capital(text or "none")) for text in (*comparison, "; ".join(dict.fromkeys(outcomes))))
        for comparison, outcomes in asked.items()
    ]
    columns = {"Population": 0.25, "Intervention": 0.3, "Comparison": 0.2, "Outcomes": 0.25}
    yield from _grid("What was compared, and for which outcomes", columns, rows)


def _in_short(work: Work) -> Iterator[Block]:
    """Yield the state of the evidence in numbers."""
    syntheses, claims = work.part.syntheses.values(), work.part.claims.values()
    levels = [strength_of(synthesis) or "not judged" for synthesis in syntheses]
    verdicts = [claim.verdict.judgement if claim.verdict else "not judged" for claim in claims]
    if levels:
        said = _tally(levels, (*words(EvidenceStrength), "not judged"))
        yield named(f"Certainty of the evidence on {console.plural(len(levels), 'question')}", said)
    for found in work.findings:
        if found.certainty.level in ("high", "moderate", "low"):
            yield paragraph(f"{found.certainty.plain}")
    if verdicts:
        said = _tally(verdicts, (*words(VerdictWord), "not judged"))
        yield named(f"Verdicts on {console.plural(len(verdicts), 'claim')}", said)
    judged = [entry.status for entry in (*syntheses, *claims)]
    reviewed = judged.count("reviewed") or "none"
    yield named("Reviewed by a second person", f"{reviewed} of {console.plural(len(judged), 'judgement')}.")


def _tally(found: Iterable[str], order: Iterable[str]) -> str:
    """Return how often each word occurs: "moderate 1, very low 16"."""
    counts = Counter(found)
    return ", ".join(f"{word.replace('-', ' ')} {counts[word]}" for word in order if counts[word])


def _findings(work: Work) -> Iterator[Block]:
    """Yield the summary of findings; its letters are explained where the certainty is."""
    if work.found:
        yield layouts.summary(work.findings, f"Summary of findings: {work.found.title}", work.letters)
        yield from work.found.notes()


def _forests(work: Work) -> Iterator[Block]:
    """Yield a forest plot for each question that was pooled, and why the others were not."""
    apart: list[Block] = []
    for found in work.findings:
        synthesis = work.part.syntheses[found.certainty.synthesis]
        lines = dict.fromkeys(line.study for line in synthesis.include)
        studies = ", ".join(map(work.name, lines))
        title = synthesis.label or synthesis.id
        pooled = work.pooled[synthesis.id]
        if not isinstance(pooled, Pooled):
            why = found.not_pooled or f"Not pooled: {pooled}."
            apart.append(named(title, f"{why} Studies: {studies or 'none'}."))
            continue
        yield Heading(title, 3)
        yield from pictures(forest(pooled), f"forest-{synthesis.id}")
        left = f" Left out, for reasons in the record: {len(synthesis.exclude)}." if synthesis.exclude else ""
        yield paragraph(f"Studies: {studies}.{left}")
    yield from ([Heading("Not pooled", 3)] if apart else [])
    yield from apart


def _studies(work: Work) -> Iterator[Block]:
    """Yield what is known of each study that the syntheses include."""
    columns = {"Study": 0.22, "Design": 0.26, "Read as": 0.14, "Paid for by": 0.13, "Risk of bias": 0.25}
    rows = [_study(study, work) for study in work.included()]
    yield from _grid("Each study of a synthesis, and how far it was read", columns, rows)


def _study(study: Study, work: Work) -> tuple[Cell, ...]:
    """Return one study as a row; what was not seen is said so."""
    people = persons(study)
    size = f"{people:,} persons" if people else "persons not known"
    judged = [f"{appraisal.TOOLS[rob.tool].label}: {_plain(rob.overall.judgement)}" for rob in study.rob]
    doubts = _muted(f"{console.plural(len(study.flags), 'doubt')} flagged") if study.flags else ""
    return (
        cell(work.name(study.id), doubts),
        cell(DESIGNS[study.design].label, size),
        cell(_READ.get(study.read, study.read)),
        cell(_plain(study.funding or "not seen")),
        cell(*(dict.fromkeys(judged) or ["not judged"])),
    )


def _certainty(work: Work) -> Iterator[Block]:
    """Yield the evidence profile, then the reason for each step."""
    if work.found:
        yield layouts.profile(work.findings, f"Evidence profile: {work.found.title}", work.letters)
        yield from work.letters.explained()


def _claims(work: Work) -> Iterator[Block]:
    """Yield what each article claims on this topic, in the order of its text, beside what is known."""
    rows: list[tuple[Cell, ...]] = []
    kinds = {claim.id: claim.kind for claim in work.part.claims.values()}
    for source in articles(work.ledger):
        try:
            table = audit(work.ledger, source).table
        except EvidenceError:  # an article that makes no claim that was recorded
            continue
        made = table[table["claim"].map(kinds).notna() & (table["claim"].map(kinds) != "background")]
        known = work.ledger.references.get(source)
        title = (Part(known.title if known else source, "strong"), Part(work.cite(source)))
        rows += [(cell(title, columns=4),)] if len(made) else []
        for claim, places in made.groupby("claim", sort=False):
            rows.append(_claim(work.ledger.claims[str(claim)], source, places, work))
    columns = {"Claim": 0.28, "Where, and how surely": 0.22, "Evidence": 0.12, "Verdict, and why": 0.38}
    yield from _grid("Each claim in the order of the text, beside what is known", columns, rows)
    if left := Counter(kinds.values())["background"]:
        yield paragraph(f"Statements of background, which assert nothing of the topic, are left out: {left}.")


def _claim(record: Claim, source: str, places: pd.DataFrame, work: Work) -> tuple[Cell, ...]:
    """Return a claim of an article as a row, with every place of the text that makes it."""
    ruled = conclude(work.ledger, record)
    looked = any(item.citations for item in record.appearances if item.source == source)
    worded = [word for word in words(Wording) if (places["wording"] == word).any()]
    cited, found = int(places["citations"].sum()), int(places["resolved"].sum())
    nothing = "cites nothing" if looked else "what it cites was not recorded"
    cites = f"{console.plural(cited, 'citation')}, {found or 'none'} found" if cited else nothing
    verdict, why = "no verdict yet", "; ".join(ruled.reasons)
    if record.verdict:
        verdict, why = record.verdict.judgement, record.verdict.why
    return (
        cell(record.claim),
        cell("; ".join(places["at"]), f"worded as {' and '.join(worded)}" if worded else "", _muted(cites)),
        cell(_plain(ruled.strength)),
        cell((Part(capital(_plain(verdict)), "strong"),), capital(f"{why}.")),
    )


def _methods(work: Work) -> Iterator[Block]:
    """Yield what was done, as far as the records tell."""
    yield paragraph(" ".join(said for write in METHODS for said in write(work)))


def _reading(work: Work) -> Iterator[str]:
    studies, included = work.part.studies.values(), work.included()
    held = console.plural(len(studies), "study")
    yield f"The records hold {held} and reviews on this topic; the syntheses include {len(included)}."
    for what, group in (("All", studies), ("The included", included)):
        if group:
            read = Counter(_READ.get(study.read, study.read) for study in group).most_common()
            yield f"{what} were read as: {', '.join(f'{count} {word}' for word, count in read)}."


def _searching(work: Work) -> Iterator[str]:
    claims = work.part.claims.values()
    cited = (citation for claim in claims for item in claim.appearances for citation in item.citations)
    found = [search for claim in claims for search in claim.search]
    found += [search for citation in cited for search in citation.search]
    if not found:
        yield "No search was recorded."
        return
    where = "; ".join(dict.fromkeys(search.where for search in found))
    first, last = min(search.on for search in found), max(search.on for search in found)
    days = f"on {first}" if first == last else f"between {first} and {last}"
    yield f"Searches recorded, claim by claim and citation by citation: {len(found)}, {days}, in {where}."


def _appraising(work: Work) -> Iterator[str]:
    included = work.included()
    tools = Counter(appraisal.TOOLS[rob.tool].label for study in included for rob in study.rob)
    judged = sum(bool(study.rob) for study in included)
    if included:
        by = f" with {', '.join(f'{tool} ({count})' for tool, count in tools.items())}" if tools else ""
        yield f"Risk of bias was judged for {judged} of {len(included)} included studies{by}."


def _pooling(work: Work) -> Iterator[str]:
    known = {key: pooled for key, pooled in work.pooled.items() if isinstance(pooled, Pooled)}
    models = Counter(
        f"{MEASURES[pooled.measure].label}, {pooled.lines()['model']}, fixed on {analysis.fixed_on}"
        for key, pooled in known.items()
        if (analysis := work.part.syntheses[key].analysis)
    )
    if models:
        listed = "; ".join(f"{model} ({count})" for model, count in models.items())
        yield f"Analyses, with the day they were fixed and how many: {listed}."
    if apart := len(work.pooled) - len(known):
        yield f"Not pooled, for the reasons above: {apart} of {console.plural(len(work.pooled), 'question')}."


def _grading(work: Work) -> Iterator[str]:
    records = [synthesis.certainty for synthesis in work.part.syntheses.values()]
    graded = [record.overall for record in records if record and record.overall]
    if graded:
        by = ", ".join(dict.fromkeys(judgement.by for judgement in graded))
        yield f"Certainty was rated by GRADE for {len(graded)} of {len(records)} questions, by {by}."


def _judging(work: Work) -> Iterator[str]:
    if work.part.claims:
        yield (
            "A verdict follows by rule from the certainty of the evidence, where that points, and how surely "
            "and how largely the claim is worded; it may be stricter than the rule, never milder."
        )


def _checking(work: Work) -> Iterator[str]:
    known = [work.ledger.references[key] for key in work.numbers if key in work.ledger.references]
    if unchecked := sum(reference.status == "unchecked" for reference in known):
        yield f"Not checked for retraction: {unchecked} of {console.plural(len(known), 'reference')}."
    yield f"The records were checked: {console.summary(work.evidence.checked)}."


def _references(work: Work) -> Iterator[Block]:
    """Yield every reference that was mentioned, in Vancouver style, by its number."""
    for key, number in work.numbers.items():
        known = work.ledger.references.get(key)
        yield paragraph(f"{number}. {known.vancouver() if known else f'{key} (not in the bibliography)'}")


def _notice(work: Work) -> Iterator[Block]:
    yield paragraph(f"{capital(files.SHIPPED)}. " if work.evidence.shipped else "", NOTICE)
    yield paragraph(MADE.format(version=__version__, digest=work.evidence.digest()))


def _grid(caption: str, columns: dict[str, float], rows: list[tuple[Cell, ...]]) -> Iterator[Grid]:
    """Yield a table with its columns and how wide they are; nothing without a row."""
    if rows:
        yield Grid(caption, (), tuple(columns), tuple(rows), tuple(columns.values()))


def _plain(word: str) -> str:
    return word.replace("-", " ")


def _muted(text: str) -> Line:
    return (Part(text, "muted"),)


METHODS = (_reading, _searching, _appraising, _pooling, _grading, _judging, _checking)
SECTIONS: dict[str, Callable[[Work], Iterator[Block]]] = {
    "Question": _question,
    "In short": _in_short,
    "Summary of findings": _findings,
    "Certainty, and why": _certainty,
    "Forest plots": _forests,
    "Included studies": _studies,
    "What articles claim": _claims,
    "Methods": _methods,
    "References": _references,
    "Notice": _notice,
}
