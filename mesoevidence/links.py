"""Checks that every id, key and slug a record names exists."""

from collections.abc import Iterable, Iterator, Mapping

from mesoevidence.files import BIBLIOGRAPHY
from mesoevidence.ledger import Ledger
from mesoevidence.model import AnyEntry, Claim, Study, Synthesis, Topic
from mesoevidence.problems import CODES, Problem, nearest
from mesoevidence.records import Path
from mesoevidence.vocabulary import SET_ASIDE

Named = tuple[Path, str | None]


def _unknown(
    ledger: Ledger, code: str, identifier: str, path: Path, name: str, what: str, known: Iterable[str]
) -> Problem:
    """Return the problem of a name that nothing bears, with the nearest that something does."""
    near = nearest(name, known)
    hint = f"did you mean `{near}`?" if near else f"add the {what}, or mend the name"
    return ledger.problem(code, identifier, path, f"there is no {what} `{name}`", hint)


def claim_names_what_exists(claim: Claim, ledger: Ledger) -> Iterator[Problem]:
    """Sources, citations, evidence lines and slugs of a claim exist."""
    for at, appearance in enumerate(claim.appearances):
        here = ("appearances", at)
        yield from _references(claim.id, [((*here, "source"), appearance.source)], ledger)
        for number, citation in enumerate(appearance.citations):
            there = (*here, "citations", number)
            named: list[Named] = [((*there, "ref"), citation.ref)]
            named += [
                ((*there, "candidates", n, "ref"), item.ref) for n, item in enumerate(citation.candidates)
            ]
            yield from _references(claim.id, named, ledger)
    for at, line in enumerate(claim.evidence):
        if line.study and not _known(line.study, ledger.studies, ledger):
            path = ("evidence", at, "study")
            yield _unknown(ledger, "E106", claim.id, path, line.study, "study", ledger.studies)
        if line.synthesis and not _known(line.synthesis, ledger.syntheses, ledger):
            path = ("evidence", at, "synthesis")
            yield _unknown(ledger, "E107", claim.id, path, line.synthesis, "synthesis", ledger.syntheses)
        kind = "study" if line.study else "synthesis"
        yield from _set_aside(claim.id, ("evidence", at, kind), getattr(line, kind), ledger)
    yield from _pico(claim, ledger)
    yield from _topics(claim, ledger)


def study_names_what_exists(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """Reports, slugs, arms, results and included studies of a study exist."""
    named: list[Named] = [(("reports", at), key) for at, key in enumerate(study.reports)]
    named += [
        (("results", at, "from", "ref"), result.provenance.ref) for at, result in enumerate(study.results)
    ]
    yield from _references(study.id, named, ledger)
    for at, slug in enumerate(study.population or ()):
        yield from _slug(study.id, ("population", at), slug, "population", ledger.populations, ledger)
    for name, arm in study.arms.items():
        path: Path = ("arms", name, "intervention")
        yield from _slug(study.id, path, arm.intervention, "intervention", ledger.interventions, ledger)
    for at, result in enumerate(study.results):
        yield from _slug(
            study.id, ("results", at, "outcome"), result.outcome, "outcome", ledger.outcomes, ledger
        )
        for arm_name in result.values or ():
            if arm_name not in study.arms:
                path = ("results", at, "values", arm_name)
                yield _unknown(ledger, "E109", study.id, path, arm_name, "arm", study.arms)
    for at, included in enumerate(study.includes):
        if not _known(included, ledger.studies, ledger):
            yield _unknown(ledger, "E106", study.id, ("includes", at), included, "study", ledger.studies)
    ids = [result.id for result in study.results]
    for at, rob in enumerate(study.rob):
        if rob.result and rob.result not in ids:
            yield _unknown(ledger, "E110", study.id, ("rob", at, "result"), rob.result, "result", ids)
    for at, flag in enumerate(study.flags):
        if flag.code not in CODES:
            near = nearest(flag.code, CODES)
            hint = f"did you mean `{near}`? `mesoevidence check --explain {near}`" if near else "see CODES"
            yield ledger.problem(
                "E205", study.id, ("flags", at, "code"), f"there is no code {flag.code}", hint
            )
    yield from _topics(study, ledger)


def synthesis_names_what_exists(synthesis: Synthesis, ledger: Ledger) -> Iterator[Problem]:
    """Studies, results, arms and slugs of a synthesis exist."""
    for at, line in enumerate(synthesis.include):
        study = ledger.studies.get(line.study)
        if study is None:
            path: Path = ("include", at, "study")
            if line.study in ledger.broken:
                continue
            yield _unknown(ledger, "E106", synthesis.id, path, line.study, "study", ledger.studies)
            continue
        yield from _set_aside(synthesis.id, ("include", at, "study"), line.study, ledger)
        ids = [result.id for result in study.results]
        if line.result not in ids:
            yield _unknown(
                ledger, "E110", synthesis.id, ("include", at, "result"), line.result, "result", ids
            )
        for side in ("intervention", "comparator"):
            for arm in getattr(line, side):
                if arm not in study.arms:
                    yield _unknown(
                        ledger, "E109", synthesis.id, ("include", at, side), arm, "arm", study.arms
                    )
    for excluded in synthesis.exclude:
        if not _known(excluded, ledger.studies, ledger):
            yield _unknown(
                ledger, "E106", synthesis.id, ("exclude", excluded), excluded, "study", ledger.studies
            )
    if synthesis.baseline:
        named: list[Named] = [(("baseline", "from", "ref"), synthesis.baseline.provenance.ref)]
        yield from _references(synthesis.id, named, ledger)
    yield from _pico(synthesis, ledger)


def topic_names_what_exists(topic: Topic, ledger: Ledger) -> Iterator[Problem]:
    """Sources and places of a topic exist; no other topic declares the same slug."""
    yield from _references(topic.id, [(("sources", key), key) for key in topic.sources], ledger)
    for slug, outcome in topic.outcomes.items():
        if outcome.mid:
            path = ("outcomes", slug, "mid", "from", "ref")
            yield from _references(topic.id, [(path, outcome.mid.provenance.ref)], ledger)
    for block in ("populations", "interventions", "outcomes"):
        for slug in getattr(topic, block):
            if ledger.topic_of[slug] != topic.id:
                hint = f"the topic `{ledger.topic_of[slug]}` declares it too; keep one"
                yield ledger.problem(
                    "E104", topic.id, (block, slug), f"`{slug}` is declared twice", hint, key=True
                )


def _set_aside(identifier: str, path: Path, name: str | None, ledger: Ledger) -> Iterator[Problem]:
    """Yield a problem where a record rests on one that was rejected or superseded."""
    record = ledger.studies.get(name or "") or ledger.syntheses.get(name or "")
    if record and record.status in SET_ASIDE:
        message = f"`{name}` is {record.status}, and no evidence any more"
        hint = "name what took its place, or delete the line"
        yield ledger.problem("W708", identifier, path, message, hint)


def _known(name: str, records: Mapping[str, object], ledger: Ledger) -> bool:
    """Return whether a record is there, be it one that could not be read."""
    return name in records or name in ledger.broken


def _references(identifier: str, named: Iterable[Named], ledger: Ledger) -> Iterator[Problem]:
    """Yield a problem for each key that references.bib lacks, and once the state of each that it has."""
    seen: set[str] = set()
    for path, key in named:
        if key is None or key in seen:
            continue
        seen.add(key)
        reference = ledger.references.get(key)
        if reference is None:
            if key in ledger.broken or BIBLIOGRAPHY in ledger.broken:
                continue
            yield _unknown(ledger, "E105", identifier, path, key, "reference", ledger.references)
        elif code := _STATES.get(reference.status):
            message = f"`{key}` is marked {reference.status.replace('-', ' ')} in references.bib"
            yield ledger.problem(
                code, identifier, path, message, "acknowledge it by a flag, or use another source"
            )


_STATES = {"retracted": "W801", "expression-of-concern": "W802", "corrected": "W804"}


def _slug(
    identifier: str, path: Path, slug: str, what: str, known: Mapping[str, object], ledger: Ledger
) -> Iterator[Problem]:
    if slug not in known and "evidence/topics/" not in ledger.broken:
        yield _unknown(ledger, "E108", identifier, path, slug, what, known)


def _pico(entry: Claim | Synthesis, ledger: Ledger) -> Iterator[Problem]:
    """Yield a problem for each slug of a question that no topic declares."""
    if entry.pico is None:
        return
    pico = entry.pico
    for slug in pico.population or ():
        yield from _slug(entry.id, ("pico", "population"), slug, "population", ledger.populations, ledger)
    for side in ("intervention", "comparator"):
        for slug in getattr(pico, side) or ():
            if slug != "none" or side == "intervention":
                yield from _slug(entry.id, ("pico", side), slug, "intervention", ledger.interventions, ledger)
    if pico.outcome:
        yield from _slug(entry.id, ("pico", "outcome"), pico.outcome, "outcome", ledger.outcomes, ledger)


def _topics(entry: Claim | Study, ledger: Ledger) -> Iterator[Problem]:
    """Yield a problem for each topic that does not exist, and where there is none."""
    for at, topic in enumerate(entry.topics):
        if not _known(topic, ledger.topics, ledger):
            yield _unknown(ledger, "E112", entry.id, ("topics", at), topic, "topic", ledger.topics)
    if not entry.topics and not slugs_of(entry):
        hint = "name a population, intervention or outcome, or write `topics: [...]`"
        yield ledger.problem("E227", entry.id, ("id",), "the record belongs to no topic", hint)


def slugs_of(entry: AnyEntry) -> tuple[str, ...]:
    """Return the populations, interventions and outcomes that a record names."""
    if isinstance(entry, Study):
        arms = [arm.intervention for arm in entry.arms.values()]
        return (*(entry.population or ()), *arms, *(result.outcome for result in entry.results))
    if isinstance(entry, Topic) or entry.pico is None:
        return ()
    pico = entry.pico
    sides = (*(pico.population or ()), *(pico.intervention or ()), *(pico.comparator or ()))
    return (*sides, pico.outcome) if pico.outcome else sides
