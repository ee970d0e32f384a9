"""Checks that every id, key and slug a record names exists."""

from collections.abc import Collection, Iterator

from mesoevidence.blocks import Pico
from mesoevidence.files import BIBLIOGRAPHY
from mesoevidence.ledger import Ledger
from mesoevidence.model import AnyEntry, Citation, Claim, Study, Synthesis, Topic
from mesoevidence.problems import CODES, Found, Path, nearest
from mesoevidence.vocabulary import SET_ASIDE

# What may be named: the code of a name that nothing bears, and the shelf of the ledger where it should stand;
# arms and results stand in their study.
_NAMED = {
    "reference": ("E105", "references"),
    "study": ("E106", "studies"),
    "synthesis": ("E107", "syntheses"),
    "population": ("E108", "populations"),
    "intervention": ("E108", "interventions"),
    "outcome": ("E108", "outcomes"),
    "arm": ("E109", ""),
    "result": ("E110", ""),
    "topic": ("E112", "topics"),
}
_STATES = {"retracted": "W801", "expression-of-concern": "W802", "corrected": "W804"}


def claim_names_what_exists(claim: Claim, ledger: Ledger) -> Iterator[Found]:
    """Sources, citations, evidence lines and slugs of a claim exist."""
    yield from _references(claim, ledger)
    for at, line in enumerate(claim.evidence):
        for kind in ("study", "synthesis"):
            yield from _rests_on(kind, ("evidence", at, kind), getattr(line, kind), ledger)
    yield from _pico(claim.pico, ledger)
    yield from _topics(claim, ledger)


def study_names_what_exists(study: Study, ledger: Ledger) -> Iterator[Found]:
    """Reports, slugs, arms, results and included studies of a study exist."""
    yield from _references(study, ledger)
    for at, slug in enumerate(study.population or ()):
        yield from _absent("population", ("population", at), slug, ledger)
    for name, arm in study.arms.items():
        yield from _absent("intervention", ("arms", name, "intervention"), arm.intervention, ledger)
    for at, result in enumerate(study.results):
        yield from _absent("outcome", ("results", at, "outcome"), result.outcome, ledger)
        for name in result.values:
            yield from _absent("arm", ("results", at, "values", name), name, ledger, study.arms)
    for at, included in enumerate(study.includes):
        yield from _absent("study", ("includes", at), included, ledger)
    ids = [result.id for result in study.results]
    for at, rob in enumerate(study.rob):
        yield from _absent("result", ("rob", at, "result"), rob.result, ledger, ids)
    for at, flag in enumerate(study.flags):
        if flag.code not in CODES:
            near = nearest(flag.code, CODES)
            hint = f"did you mean `{near}`? `mesoevidence check --explain {near}`" if near else "see CODES"
            yield Found("E205", ("flags", at, "code"), f"there is no code {flag.code}", hint)
    yield from _topics(study, ledger)


def synthesis_names_what_exists(synthesis: Synthesis, ledger: Ledger) -> Iterator[Found]:
    """Studies, results, arms and slugs of a synthesis exist."""
    for at, line in enumerate(synthesis.include):
        yield from _rests_on("study", ("include", at, "study"), line.study, ledger)
        if study := ledger.studies.get(line.study):
            ids = [result.id for result in study.results]
            yield from _absent("result", ("include", at, "result"), line.result, ledger, ids)
            for side in ("intervention", "comparator"):
                for arm in getattr(line, side):
                    yield from _absent("arm", ("include", at, side), arm, ledger, study.arms)
    for excluded in synthesis.exclude:
        yield from _absent("study", ("exclude", excluded), excluded, ledger)
    yield from _references(synthesis, ledger)
    yield from _pico(synthesis.pico, ledger)


def topic_names_what_exists(topic: Topic, ledger: Ledger) -> Iterator[Found]:
    """Sources and places of a topic exist; no other topic declares the same slug."""
    yield from _references(topic, ledger)
    for block in ("populations", "interventions", "outcomes"):
        for slug in getattr(topic, block):
            if ledger.topic_of[slug] != topic.id:
                hint = f"the topic `{ledger.topic_of[slug]}` declares it too; keep one"
                yield Found("E104", (block, slug), f"`{slug}` is declared twice", hint, key=True)


def _absent(
    what: str, path: Path, name: str | None, ledger: Ledger, known: Collection[str] | None = None
) -> Iterator[Found]:
    """Yield a problem for a name that nothing bears, not even what could not be read; with the nearest."""
    code, shelf = _NAMED[what]
    if known is None:
        known = getattr(ledger, shelf)
        where = {"E105": BIBLIOGRAPHY, "E108": "evidence/topics/"}.get(code)
        if name in ledger.broken or where in ledger.broken:
            return
    if name is not None and name not in known:
        near = nearest(name, known)
        hint = f"did you mean `{near}`?" if near else f"add the {what}, or mend the name"
        yield Found(code, path, f"there is no {what} `{name}`", hint)


def _rests_on(kind: str, path: Path, name: str | None, ledger: Ledger) -> Iterator[Found]:
    """Yield a problem where a record rests on one that is not there, or was rejected or superseded."""
    yield from _absent(kind, path, name, ledger)
    record = ledger.studies.get(name or "") or ledger.syntheses.get(name or "")
    if record and record.status in SET_ASIDE:
        message = f"`{name}` is {record.status}, and no evidence any more"
        yield Found("W708", path, message, "name what took its place, or delete the line")


def _references(entry: AnyEntry, ledger: Ledger) -> Iterator[Found]:
    """Yield a problem for each key that references.bib lacks, and once the state of each that it has."""
    told = set[str]()
    for path, key in references_of(entry):
        yield from _absent("reference", path, key, ledger)
        reference = ledger.references.get(key)
        if reference and key not in told and (code := _STATES.get(reference.status)):
            told.add(key)
            message = f"`{key}` is marked {reference.status.replace('-', ' ')} in references.bib"
            yield Found(code, path, message, "acknowledge it by a flag, or use another source")


def references_of(entry: AnyEntry) -> Iterator[tuple[Path, str]]:
    """Yield the key of every reference that a record names, with its path."""
    if isinstance(entry, Topic):
        for key in entry.sources:
            yield ("sources", key), key
        for slug, outcome in entry.outcomes.items():
            if outcome.mid:
                yield ("outcomes", slug, "mid", "from", "ref"), outcome.mid.provenance.ref
    elif isinstance(entry, Study):
        for at, key in enumerate(entry.reports):
            yield ("reports", at), key
        for at, result in enumerate(entry.results):
            yield ("results", at, "from", "ref"), result.provenance.ref
    elif isinstance(entry, Claim):
        for at, appearance in enumerate(entry.appearances):
            yield ("appearances", at, "source"), appearance.source
            for number, citation in enumerate(appearance.citations):
                yield from _cited(citation, ("appearances", at, "citations", number))
    elif entry.baseline:
        yield ("baseline", "from", "ref"), entry.baseline.provenance.ref


def _cited(citation: Citation, here: Path) -> Iterator[tuple[Path, str]]:
    """Yield what a citation refers to, and what it may refer to."""
    if citation.ref:
        yield (*here, "ref"), citation.ref
    for at, item in enumerate(citation.candidates):
        if item.ref:
            yield (*here, "candidates", at, "ref"), item.ref


def _asked(pico: Pico | None) -> Iterator[tuple[str, str]]:
    """Yield the slugs of a question, each with the side on which it stands."""
    for side in ("population", "intervention", "comparator"):
        for slug in getattr(pico, side, None) or ():
            yield side, slug
    if pico and pico.outcome:
        yield "outcome", pico.outcome


def _pico(pico: Pico | None, ledger: Ledger) -> Iterator[Found]:
    """Yield a problem for each slug of a question that no topic declares."""
    for side, slug in _asked(pico):
        if (side, slug) != ("comparator", "none"):
            what = "intervention" if side == "comparator" else side
            yield from _absent(what, ("pico", side), slug, ledger)


def _topics(entry: Claim | Study, ledger: Ledger) -> Iterator[Found]:
    """Yield a problem for each topic that does not exist, and where there is none."""
    for at, topic in enumerate(entry.topics):
        yield from _absent("topic", ("topics", at), topic, ledger)
    if not entry.topics and not slugs_of(entry):
        hint = "name a population, intervention or outcome, or write `topics: [...]`"
        yield Found("E227", ("id",), "the record belongs to no topic", hint)


def slugs_of(entry: AnyEntry) -> tuple[str, ...]:
    """Return the populations, interventions and outcomes that a record names."""
    if isinstance(entry, Study):
        arms = [arm.intervention for arm in entry.arms.values()]
        return (*(entry.population or ()), *arms, *(result.outcome for result in entry.results))
    return () if isinstance(entry, Topic) else tuple(slug for _, slug in _asked(entry.pico))
