"""The reviewer's document of a topic: what is known of it, how surely, and what is claimed against that."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pandas as pd

from mesoevidence import __version__, appraisal, console, files, layouts
from mesoevidence.audits import articles, audit
from mesoevidence.bodies import inside
from mesoevidence.certainty import SYMBOLS, strength_of
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
)
from mesoevidence.evidence import Evidence
from mesoevidence.layouts import capital
from mesoevidence.ledger import Ledger
from mesoevidence.methods import READ, methods
from mesoevidence.model import Claim, Study
from mesoevidence.pooled import Pooled
from mesoevidence.problems import EvidenceError
from mesoevidence.strength import deciding
from mesoevidence.subjects import Subject, subject
from mesoevidence.tables import persons
from mesoevidence.vocabulary import DESIGNS, EvidenceStrength, VerdictWord, Wording, words


def review(evidence: Evidence, topic: str, advance: Callable[[], None]) -> Document:
    """Return the document of a topic in the sections of `SECTIONS`; `advance` is called after each."""
    work = subject(evidence, topic)
    blocks: list[Block] = []
    for title, write in SECTIONS.items():
        section = list(write(work))
        blocks += [Heading(title), *section] if section else []
        advance()
    return Document(f"{evidence.topics[topic].label}: a summary of the evidence", tuple(blocks))


def _question(work: Subject) -> Iterator[Block]:
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
        tuple(
            cell(capital(text or "no comparison group"))
            for text in (*comparison, "; ".join(dict.fromkeys(outcomes)))
        )
        for comparison, outcomes in asked.items()
    ]
    columns = {"Population": 0.25, "Intervention": 0.3, "Comparison": 0.2, "Outcomes": 0.25}
    yield from _grid("What was compared, and for which outcomes", columns, rows)


def _in_short(work: Subject) -> Iterator[Block]:
    """Yield the state of the evidence in numbers, what may be said, and what a reader must know first."""
    syntheses, claims = work.part.syntheses.values(), work.claims()
    levels = [strength_of(synthesis) or "not judged" for synthesis in syntheses]
    verdicts = [claim.verdict.judgement if claim.verdict else "not judged" for claim in claims]
    if errors := sum(problem.severity == "error" for problem in work.evidence.problems):
        what = f"the checks found {console.plural(errors, 'error')}; `mesoevidence check` names each."
        yield named("Not everything could be used", what)
    if levels:
        said = _tally(levels, (*words(EvidenceStrength), "not judged"))
        yield named(f"Certainty of the evidence on {console.plural(len(levels), 'question')}", said)
    for found in work.findings:
        if found.certainty.level in ("high", "moderate", "low"):
            yield paragraph(found.certainty.plain)
    if verdicts:
        said = _tally(verdicts, (*words(VerdictWord), "not judged"))
        yield named(f"Verdicts on {console.plural(len(verdicts), 'claim')}", said)
    if judged := [entry.status for entry in (*syntheses, *claims)]:
        reviewed = judged.count("reviewed") or "none"
        yield named(
            "Reviewed by a second person", f"{reviewed} of {console.plural(len(judged), 'judgement')}."
        )


def _tally(found: Iterable[str], order: Iterable[str]) -> str:
    """Return how often each word occurs: "moderate 1, very low 16"."""
    counts = Counter(found)
    return ", ".join(f"{word.replace('-', ' ')} {counts[word]}" for word in order if counts[word])


def _findings(work: Subject) -> Iterator[Block]:
    """Yield the summary of findings; its letters are explained where the certainty is."""
    if work.found:
        yield layouts.summary(work.findings, f"Summary of findings: {work.found.title}", work.letters)
        yield from work.found.notes()


def _forests(work: Subject) -> Iterator[Block]:
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
        yield paragraph(f"Studies: {studies}.")
    yield from ([Heading("Not pooled", 3)] if apart else [])
    yield from apart


def _studies(work: Subject) -> Iterator[Block]:
    """Yield what is known of each study that the syntheses include."""
    columns = {"Study": 0.22, "Design": 0.26, "Read as": 0.14, "Paid for by": 0.13, "Risk of bias": 0.25}
    rows = [_study(study, work) for study in work.included()]
    yield from _grid("Each study of a synthesis, and how far it was read", columns, rows)
    left: list[tuple[Cell, ...]] = []
    for synthesis in work.syntheses():
        title = (Part(synthesis.label or synthesis.id, "strong"),)
        left += [(cell(title, columns=2),)] if synthesis.exclude else []
        left += [(cell(work.name(study)), cell(capital(why))) for study, why in synthesis.exclude.items()]
    yield from _grid("Each study that was left out of a question, and why", {"Study": 0.4, "Why": 0.6}, left)


def _study(study: Study, work: Subject) -> tuple[Cell, ...]:
    """Return one study as a row; what was not seen is said so."""
    people = persons(study)
    size = console.plural(people, "person") if people else "number allocated not seen"
    judged = [
        f"{appraisal.TOOLS[rob.tool].label}{f', {_plain(rob.result)}' if rob.result else ''}: "
        f"{_plain(rob.overall.judgement)}"
        for rob in study.rob
    ]
    doubts = _muted(f"{console.plural(len(study.flags), 'doubt')} flagged") if study.flags else ""
    return (
        cell(work.name(study.id), doubts),
        cell(DESIGNS[study.design].label, size),
        cell(READ.get(study.read, study.read)),
        cell(_plain(study.funding or "not seen")),
        cell(*(dict.fromkeys(judged) or ["not judged"])),
    )


def _certainty(work: Subject) -> Iterator[Block]:
    """Yield the evidence profile, then the reason for each step."""
    if work.found:
        yield layouts.profile(work.findings, f"Evidence profile: {work.found.title}", work.letters)
        yield from work.letters.explained()


def _claims(work: Subject) -> Iterator[Block]:
    """Yield what each article claims on this topic, in the order of its text, beside what is known."""
    rows: list[tuple[Cell, ...]] = []
    asserted = [claim.id for claim in work.claims()]
    for source in articles(work.ledger):
        try:
            table = audit(work.ledger, source).table
        except EvidenceError:  # an article that makes no claim that was recorded
            continue
        made = table[table["claim"].isin(asserted)]
        known = work.ledger.references.get(source)
        title = (Part(known.title if known else source, "strong"), Part(work.cite(source)))
        rows += [(cell(title, columns=4),)] if len(made) else []
        for claim, places in made.groupby("claim", sort=False):
            rows.append(_claim(work.ledger.claims[str(claim)], source, places, work))
    columns = {"Claim": 0.28, "Where, and how surely": 0.22, "Evidence": 0.12, "Verdict, and why": 0.38}
    yield from _grid("Each claim in the order of the text, beside what is known", columns, rows)
    if left := len(work.part.claims) - len(asserted):
        yield paragraph(f"Statements of background, which assert nothing of the topic, are left out: {left}.")


def _claim(record: Claim, source: str, places: pd.DataFrame, work: Subject) -> tuple[Cell, ...]:
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
        cell(_plain(ruled.strength), _muted("by design alone") if _by_design(record, work.ledger) else ""),
        cell((Part(capital(_plain(verdict)), "strong"),), capital(f"{why}."), *_resting(record, work)),
    )


def _by_design(claim: Claim, ledger: Ledger) -> bool:
    """Return whether a strength is that of single studies, which nobody graded."""
    strength, lines = deciding(claim, ledger)
    known = [ledger.syntheses.get(line.synthesis or "") for line in lines]
    return strength in SYMBOLS and not any(synthesis and strength_of(synthesis) for synthesis in known)


def _resting(claim: Claim, work: Subject) -> list[Line]:
    """Return what a claim rests on: references by number, and syntheses by name."""
    lines = [line for line in claim.evidence if line.role != "background"]
    studies = [known for line in lines if (known := work.ledger.studies.get(line.study or ""))]
    bodies = [body for line in lines if (body := work.ledger.syntheses.get(line.synthesis or ""))]
    cited = work.cite(*dict.fromkeys(key for study in studies for key in study.reports)).strip()
    named = "; ".join([*([cited] if cited else []), *(body.label or body.id for body in bodies)])
    return [_muted(f"Rests on {named}")] if named else []


def _methods(work: Subject) -> Iterator[Block]:
    """Yield what was done, as far as the records tell."""
    yield paragraph(methods(work))


def _references(work: Subject) -> Iterator[Block]:
    """Yield every reference that was mentioned, in Vancouver style, by its number."""
    for key, number in work.numbers.items():
        known = work.ledger.references.get(key)
        yield paragraph(f"{number}. {known.vancouver() if known else f'{key} (not in the bibliography)'}")


def _notice(work: Subject) -> Iterator[Block]:
    yield paragraph(
        f"{capital(files.SHIPPED)}. " if work.evidence.shipped else "", files.notice(work.ledger.root)
    )
    digest = work.evidence.digest()
    yield paragraph(f"Made by mesoevidence {__version__} from records with the digest {digest}.")


def _grid(caption: str, columns: dict[str, float], rows: list[tuple[Cell, ...]]) -> Iterator[Grid]:
    """Yield a table with its columns and how wide they are; nothing without a row."""
    if rows:
        yield Grid(caption, (), tuple(columns), tuple(rows), tuple(columns.values()))


def _plain(word: str) -> str:
    return word.replace("-", " ")


def _muted(text: str) -> Line:
    return (Part(text, "muted"),)


SECTIONS: dict[str, Callable[[Subject], Iterator[Block]]] = {
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
