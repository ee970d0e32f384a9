"""The methods paragraph of a review, told from what the records say was done."""

from collections import Counter
from collections.abc import Iterator

from mesoevidence import appraisal, console
from mesoevidence.formulas import MEASURES
from mesoevidence.pooled import Pooled
from mesoevidence.subjects import Subject

READ = {"full-text": "full text", "secondary": "another's account"}


def methods(work: Subject) -> str:
    """Return what was done, as far as the records tell."""
    return " ".join(said for write in METHODS for said in write(work))


def _reading(work: Subject) -> Iterator[str]:
    studies, included = work.part.studies.values(), work.included()
    held = console.plural(len(studies), "study")
    yield f"The records hold {held} on this topic, reviews among them; the syntheses include {len(included)}."
    for what, group in (("All", studies), ("The included", included)):
        if group:
            read = Counter(READ.get(study.read, study.read) for study in group).most_common()
            yield f"{what} were read as: {', '.join(f'{count} {word}' for word, count in read)}."


def _searching(work: Subject) -> Iterator[str]:
    claims = work.part.claims.values()
    cited = (citation for claim in claims for item in claim.appearances for citation in item.citations)
    found = [search for claim in claims for search in claim.search]
    found += [search for citation in cited for search in citation.search]
    asked = {(search.where, search.query, search.on) for search in found}
    if not asked:
        yield "No search was recorded."
        return
    where = "; ".join(dict.fromkeys(search.where for search in found))
    first, last = min(search.on for search in found), max(search.on for search in found)
    days = f"on {first}" if first == last else f"between {first} and {last}"
    yield f"Looked for, claim by claim and citation by citation, {days}: {len(asked)} times, in {where}."


def _appraising(work: Subject) -> Iterator[str]:
    included = work.included()
    opened = [study for study in included if study.rob]
    tools = Counter(
        tool for study in opened for tool in {appraisal.TOOLS[rob.tool].label for rob in study.rob}
    )
    judged = sum(
        any(rob.overall.judgement != appraisal.NOT_ASSESSED for rob in study.rob) for study in opened
    )
    if included:
        named = " and ".join(f"{tool} ({count})" for tool, count in sorted(tools.items()))
        looked = f"{len(opened)} of {len(included)} included studies{f', with {named}' if named else ''}"
        yield f"Risk of bias was looked at in {looked}; {judged} of them could be judged overall."


def _pooling(work: Subject) -> Iterator[str]:
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


def _grading(work: Subject) -> Iterator[str]:
    records = [synthesis.certainty for synthesis in work.part.syntheses.values()]
    graded = [record.overall for record in records if record and record.overall]
    if records:
        by = ", ".join(dict.fromkeys(judgement.by for judgement in graded))
        rated = f"{len(graded)} of {console.plural(len(records), 'question')}"
        yield f"Certainty was rated by GRADE for {rated}{f', by {by}' if by else ''}."


def _judging(work: Subject) -> Iterator[str]:
    if work.part.claims:
        yield (
            "A verdict follows by rule from the certainty of the evidence, where that points, and how surely "
            "and how largely the claim is worded; it may be stricter than the rule, never milder. Where no "
            "graded synthesis decides, the evidence is at most as certain as its design allows (by design "
            "alone); sources of a fact are not graded; none means that nothing was found that bears on it."
        )


def _checking(work: Subject) -> Iterator[str]:
    known = [work.ledger.references[key] for key in work.numbers if key in work.ledger.references]
    if unchecked := sum(reference.status == "unchecked" for reference in known):
        yield f"Not checked for retraction: {unchecked} of {console.plural(len(known), 'reference')}."
    yield f"Checks of the whole ledger: {console.summary(work.evidence.checked)}."


METHODS = (_reading, _searching, _appraising, _pooling, _grading, _judging, _checking)
