"""Which records have to do with a topic, claim, outcome, design, intervention, year or source."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from mesoevidence import tables
from mesoevidence.ledger import Ledger
from mesoevidence.links import slugs_of
from mesoevidence.model import AnyEntry
from mesoevidence.problems import EvidenceError, guess
from mesoevidence.vocabulary import Design, words

Words = str | Collection[str]
Kept = tuple[Collection[str], Collection[str], Collection[str]]


def _wanted(asked: Words, known: Collection[str], what: str) -> frozenset[str]:
    """Return the words asked for, each of which the ledger must know."""
    wanted = frozenset([asked] if isinstance(asked, str) or not isinstance(asked, Collection) else asked)
    for word in sorted(wanted, key=str):
        if word not in known:
            raise EvidenceError(f"there is no {what} {word!r}{guess(str(word), known)}")
    return wanted


def _naming(part: Ledger, names: Callable[[AnyEntry], Collection[str]], wanted: frozenset[str]) -> Kept:
    """Return the records that name one of the wanted words."""
    kinds: tuple[Mapping[str, AnyEntry], ...] = (part.claims, part.studies, part.syntheses)
    kept = [{key for key, entry in kind.items() if wanted & set(names(entry))} for kind in kinds]
    return kept[0], kept[1], kept[2]


def _by_topic(part: Ledger, whole: Ledger, asked: Words) -> Kept:
    return _naming(part, lambda entry: tables.topics_of(entry, whole), _wanted(asked, whole.topics, "topic"))


def _by_outcome(part: Ledger, whole: Ledger, asked: Words) -> Kept:
    return _naming(part, slugs_of, _wanted(asked, whole.outcomes, "outcome"))


def _by_intervention(part: Ledger, whole: Ledger, asked: Words) -> Kept:
    return _naming(part, slugs_of, _wanted(asked, whole.interventions, "intervention"))


def _by_claim(part: Ledger, whole: Ledger, asked: Words) -> Kept:
    return _under(part, _wanted(asked, whole.claims, "claim"))


def _by_source(part: Ledger, whole: Ledger, asked: Words) -> Kept:
    sources = {key: {seen.source for seen in claim.appearances} for key, claim in whole.claims.items()}
    wanted = _wanted(asked, {key for keys in sources.values() for key in keys}, "source")
    return _under(part, {key for key in part.claims if wanted & sources[key]})


def _by_design(part: Ledger, whole: Ledger, asked: Words) -> Kept:
    wanted = _wanted(asked, words(Design), "design")
    return _over(part, {study.id for study in part.studies.values() if study.design in wanted})


def _by_year(part: Ledger, whole: Ledger, asked: int | tuple[int, int]) -> Kept:
    ends = (asked, asked) if isinstance(asked, int) else asked
    if not isinstance(ends, tuple) or len(ends) != 2 or not all(isinstance(end, int) for end in ends):
        wanted = "a whole number, or first and last year as (2010, 2020)"
        raise EvidenceError(f"a year is {wanted}, not {asked!r}")
    first, last = ends
    if first > last:
        raise EvidenceError(f"the first year comes first: ({last}, {first}), not {asked!r}")
    reported = ((study.id, study.reports[0]) for study in part.studies.values() if study.reports)
    years = {name: whole.references[key].year for name, key in reported if key in whole.references}
    return _over(part, {name for name, year in years.items() if year and first <= year <= last})


def _under(part: Ledger, claims: Collection[str]) -> Kept:
    """Return claims with the syntheses and studies they rest on."""
    lines = [line for key, claim in part.claims.items() if key in claims for line in claim.evidence]
    syntheses = {line.synthesis for line in lines if line.synthesis}
    known = (part.syntheses[key] for key in syntheses & part.syntheses.keys())
    inside = {line.study for synthesis in known for line in synthesis.include}
    return claims, inside | {line.study for line in lines if line.study}, syntheses


def _over(part: Ledger, studies: Collection[str]) -> Kept:
    """Return studies with the syntheses and claims that rest on them."""
    syntheses = {s.id for s in part.syntheses.values() if any(line.study in studies for line in s.include)}
    claims = {
        claim.id
        for claim in part.claims.values()
        if any(line.study in studies or line.synthesis in syntheses for line in claim.evidence)
    }
    return claims, studies, syntheses


SELECTORS: Mapping[str, Callable[..., Kept]] = MappingProxyType(
    {
        "topic": _by_topic,
        "claim": _by_claim,
        "outcome": _by_outcome,
        "design": _by_design,
        "intervention": _by_intervention,
        "year": _by_year,
        "source": _by_source,
    }
)
