"""What needs more than one field or one record: the checks, run over every record of a ledger."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mesoevidence import appraisal, basis, certainty, conclusions, consistency, links, provenance
from mesoevidence.ledger import Ledger
from mesoevidence.model import AnyEntry, Candidate, Citation, Claim, Outcome, Result, Study, Synthesis
from mesoevidence.problems import Problem
from mesoevidence.records import Path

_COUNTED = ("events", "proportion")
_MEASURED = ("mean", "sd", "se", "median", "q1", "q3", "min", "max")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a run of the checks found.

    Attributes
    ----------
    problems : tuple of Problem
        Sorted by place; findings that a flag acknowledges are left out.
    acknowledged : tuple of Problem
        The findings that a flag of the same record acknowledges.
    records : int
        How many good records were checked.
    checks : int
        How many times a check ran on a record.
    """

    problems: tuple[Problem, ...]
    acknowledged: tuple[Problem, ...]
    records: int
    checks: int


def check(ledger: Ledger, found: Iterable[Problem] = ()) -> Checked:
    """Run every check on every record; the order of records and of checks does not matter.

    Parameters
    ----------
    ledger : Ledger
        The good records.
    found : iterable of Problem
        What reading them found already.

    Returns
    -------
    Checked
        All problems, those of reading among them, and the counts.
    """
    problems, runs = list(found), 0
    acknowledged: list[Problem] = []
    for kind, checks in CHECKS.items():
        for entry in getattr(ledger, kind).values():
            flags = {flag.code for flag in entry.flags} if isinstance(entry, Study) else frozenset()
            for run in checks:
                runs += 1
                for problem in run(entry, ledger):
                    known = problem.code in flags and problem.severity != "error"  # errors are ours to mend
                    (acknowledged if known else problems).append(problem)
    for run_once in WHOLE:
        runs += 1
        problems += run_once(ledger)
    return Checked(tuple(sorted(problems)), tuple(sorted(acknowledged)), len(ledger.records), runs)


# Fields that must agree with each other ----------------------------------------------------------


def review_is_by_another(entry: AnyEntry, ledger: Ledger) -> Iterator[Problem]:
    """What is called reviewed was reviewed by somebody else."""
    if entry.status == "reviewed" and (not entry.reviewed_by or entry.reviewed_by == entry.by):
        hint = "name the reviewer, who is another than `by`, or write `status: draft`"
        yield ledger.problem("E214", entry.id, ("status",), "reviewed by nobody else", hint)
    if entry.reviewed_by and entry.status != "reviewed":
        hint = "write `status: reviewed`, or leave `reviewed_by` out"
        yield ledger.problem(
            "E211", entry.id, ("reviewed_by",), "a reviewer of a record that is not reviewed", hint
        )


def claim_says_what_it_asserts(claim: Claim, ledger: Ledger) -> Iterator[Problem]:
    """Every claim but background asserts something, and appears somewhere."""
    if claim.kind == "background" and claim.asserts:
        message = "background asserts nothing that can be judged"
        yield ledger.problem(
            "E217", claim.id, ("asserts",), message, "leave `asserts` out, or choose another kind"
        )
    if claim.kind != "background" and not claim.asserts:
        hint = "add `asserts: increase | decrease | no-difference | frequency | fact`"
        yield ledger.problem("E217", claim.id, ("kind",), f"a claim of {claim.kind} without `asserts`", hint)
    if not claim.appearances:
        yield ledger.problem(
            "W702", claim.id, ("id",), "nobody makes this claim", "add the place where it stands"
        )
    texts = [
        (("appearances", at, "words"), item.words) for at, item in enumerate(claim.appearances) if item.words
    ]
    yield from provenance.words_are_few(claim.id, texts, ledger)


def citation_has_its_proof(claim: Claim, ledger: Ledger) -> Iterator[Problem]:
    """A resolution comes with what it rests on."""
    for at, appearance in enumerate(claim.appearances):
        for number, citation in enumerate(appearance.citations):
            here = ("appearances", at, "citations", number)
            yield from _cited_or_not(claim, citation, here, ledger)
            missing = _unproved(
                citation.resolution, bool(citation.ref), citation.candidates, bool(citation.search)
            )
            if missing:
                message = f"`{citation.resolution}` without {missing}"
                yield ledger.problem("E213", claim.id, (*here, "resolution"), message, f"add {missing}")
            if citation.resolution == "pending":
                hint = "trace it, and log the search"
                yield ledger.problem(
                    "W704", claim.id, (*here, "resolution"), "nobody has traced this citation yet", hint
                )
            for item, candidate in enumerate(citation.candidates):
                if bool(candidate.ref) == bool(candidate.label):
                    message = "a candidate has a `ref`, or a `label` when it was not seen"
                    path = (*here, "candidates", item)
                    yield ledger.problem("E215", claim.id, path, message, "give exactly one of them")


def _cited_or_not(claim: Claim, citation: Citation, here: Path, ledger: Ledger) -> Iterator[Problem]:
    """What cites nothing says no more than that; what cites says what, and what became of it."""
    given = citation.model_fields_set - {"specificity"}
    if citation.specificity == "none" and given:
        message = "`specificity: none` says that nothing is cited, and the rest says what is"
        hint = "leave the rest out, or say how specific the citation is"
        yield ledger.problem("E211", claim.id, (*here, "specificity"), message, hint)
    elif citation.specificity != "none":
        for name, field in (("as", "described"), ("resolution", "resolution")):
            if field not in given:
                hint = "say what is cited, and what was found of it"
                yield ledger.problem("E201", claim.id, here, f"`{name}` is missing", hint)


def _unproved(resolution: str | None, ref: bool, candidates: tuple[Candidate, ...], search: bool) -> str:
    """Return what a resolution needs and lacks."""
    if resolution == "resolved" and not ref:
        return "a `ref`"
    if resolution == "ambiguous" and not candidates:
        return "`candidates`"
    if resolution in ("unresolved", "nonexistent") and not search:
        return "a `search`"
    return ""


def evidence_line_is_whole(claim: Claim, ledger: Ledger) -> Iterator[Problem]:
    """A line names one study or synthesis, an indirect one its gap; nothing counts twice."""
    inside = {
        line.study: synthesis.id
        for cited in claim.evidence
        if (synthesis := ledger.syntheses.get(cited.synthesis or ""))
        for line in synthesis.include
    }
    for at, line in enumerate(claim.evidence):
        here = ("evidence", at)
        if bool(line.study) == bool(line.synthesis):
            message = "a line names one study or one synthesis"
            yield ledger.problem("E218", claim.id, here, message, "give exactly one of them")
        if (line.directness == "indirect") != bool(line.gap):
            message = "`gap` and `directness` disagree"
            hint = "an indirect line names its gap, a direct one has none"
            yield ledger.problem("E219", claim.id, (*here, "directness"), message, hint)
        if line.role == "background":
            message = "a background passage is no evidence"
            yield ledger.problem("W701", claim.id, (*here, "role"), message, "cite the source it rests on")
        if line.study in inside:
            message = f"`{line.study}` stands in the synthesis `{inside[line.study]}` already"
            yield ledger.problem("E225", claim.id, (*here, "study"), message, "delete this line")
    searched = claim.search or any(item.search for view in claim.appearances for item in view.cited)
    if not claim.evidence and not searched and claim.kind not in ("background", "evidence-state"):
        message = "no evidence, and no search that failed to find any"
        yield ledger.problem("W703", claim.id, ("id",), message, "add a line of evidence, or log the search")


def study_can_be_found(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """A study has a report, a registration or at least a title; its result ids differ."""
    if not (study.reports or study.registration or study.title):
        hint = "give `reports`, `registration` or `title`"
        yield ledger.problem("E226", study.id, ("id",), "nothing says where this study could be found", hint)
    ids = Counter(result.id for result in study.results)
    seen: set[str] = set()
    for at, result in enumerate(study.results):
        if ids[result.id] > 1 and result.id in seen:
            path = ("results", at, "id")
            yield ledger.problem(
                "E111", study.id, path, f"the result `{result.id}` stands twice", "give it another id"
            )
        seen.add(result.id)


def values_can_be(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """Events within persons, quartiles in order, estimates inside intervals, a finding in each."""
    for at, result in enumerate(study.results):
        here = ("results", at)
        if not (result.values or result.effect or result.paired or result.direction):
            hint = "give values, an effect, a paired difference, or at least a direction"
            yield ledger.problem("E216", study.id, (*here, "id"), "this result says nothing", hint)
        for arm, values in (result.values or {}).items():
            there = (*here, "values", arm)
            if values.events is not None and values.n is not None and values.events > values.n:
                message = f"{values.events} events in {values.n} persons"
                yield ledger.problem("E210", study.id, (*there, "events"), message, "check the figures again")
            order = [values.min, values.q1, values.median, values.q3, values.max]
            known = [number for number in order if number is not None]
            if known != sorted(known):
                shown = ", ".join(map(str, known))
                message = f"min, q1, median, q3, max are out of order: {shown}"
                yield ledger.problem("E222", study.id, there, message, "check the figures again")
        yield from _interval(study, result, here, ledger)
        yield from _kinds(study, result, here, ledger)


def _interval(study: Study, result: Result, here: Path, ledger: Ledger) -> Iterator[Problem]:
    effect = result.effect
    if effect and effect.ci and not effect.ci[0] <= effect.estimate <= effect.ci[1]:
        low, high = effect.ci
        message = f"the interval {low} to {high} does not hold the estimate {effect.estimate}"
        hint = "lower limit first; check the figures again"
        yield ledger.problem("E212", study.id, (*here, "effect", "ci"), message, hint)


def _kinds(study: Study, result: Result, here: Path, ledger: Ledger) -> Iterator[Problem]:
    """Check that values are of the kind their outcome is."""
    outcome: Outcome | None = ledger.outcomes.get(result.outcome)
    if outcome is None:
        return
    strange = _MEASURED if outcome.type == "dichotomous" else _COUNTED if outcome.type == "continuous" else ()
    for arm, values in (result.values or {}).items():
        for name in strange:
            if getattr(values, name) is not None:
                message = f"`{name}` for `{result.outcome}`, which is {outcome.type}"
                hint = "choose another outcome, or other values"
                yield ledger.problem("E223", study.id, (*here, "values", arm, name), message, hint)


def second_hand_is_said(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """A number read in another document than the study's own is second-hand."""
    own = set(study.reports)
    for at, result in enumerate(study.results):
        if result.provenance.ref not in own:
            path = ("results", at, "from", "ref")
            message = f"second-hand: read in `{result.provenance.ref}`"
            yield ledger.problem(
                "W705", study.id, path, message, "read the study's own report when it can be had"
            )


def synthesis_is_one_question(synthesis: Synthesis, ledger: Ledger) -> Iterator[Problem]:
    """An analysis or a narrative; results of the one outcome; each arm once; nobody both in and out."""
    if bool(synthesis.analysis) == bool(synthesis.narrative):
        hint = "keep one: `analysis` when it is pooled, `narrative` with why when it is not"
        yield ledger.problem("E220", synthesis.id, ("id",), "an analysis or a narrative: exactly one", hint)
    used: dict[tuple[str, str], int] = {}
    for at, line in enumerate(synthesis.include):
        here = ("include", at)
        if line.study in synthesis.exclude:
            message = f"`{line.study}` is included and excluded"
            yield ledger.problem("E228", synthesis.id, (*here, "study"), message, "keep one")
        yield from _outcome_agrees(synthesis, at, ledger)
        if set(line.intervention) & set(line.comparator) or (synthesis.analysis and not line.intervention):
            message = "it does not say which arms were compared"
            yield ledger.problem("E229", synthesis.id, here, message, "name other arms for each side")
        for side in ("intervention", "comparator"):
            for arm in getattr(line, side):
                if synthesis.analysis and used.setdefault((line.study, arm), at) != at:
                    message = f"the arm `{arm}` of `{line.study}` is used twice"
                    hint = "combine the arms it is compared with in one line"
                    yield ledger.problem("E221", synthesis.id, (*here, side), message, hint)


def _outcome_agrees(synthesis: Synthesis, at: int, ledger: Ledger) -> Iterator[Problem]:
    line = synthesis.include[at]
    study = ledger.studies.get(line.study)
    found = next((r for r in study.results if r.id == line.result), None) if study else None
    if found and synthesis.pico.outcome and found.outcome != synthesis.pico.outcome:
        message = f"`{line.result}` of `{line.study}` is a result of `{found.outcome}`"
        hint = f"this synthesis asks about `{synthesis.pico.outcome}`"
        yield ledger.problem("E224", synthesis.id, ("include", at, "result"), message, hint)


# The ledger as a whole ---------------------------------------------------------------------------


def studies_are_used(ledger: Ledger) -> Iterator[Problem]:
    """Every study bears on a claim, a synthesis or a review, unless one that was not read may name it."""
    if ledger.broken:
        return
    used = {line.study for claim in ledger.claims.values() for line in claim.evidence}
    used |= {line.study for synthesis in ledger.syntheses.values() for line in synthesis.include}
    used |= {study for synthesis in ledger.syntheses.values() for study in synthesis.exclude}
    used |= {study for review in ledger.studies.values() for study in review.includes}
    for identifier in ledger.studies:
        if identifier not in used:
            hint = "name it where it bears on a claim"
            yield ledger.problem("W706", identifier, ("id",), f"nothing names the study `{identifier}`", hint)


def references_are_cited(ledger: Ledger) -> Iterator[Problem]:
    """Every reference is cited, and somebody asked whether it still stands."""
    cited = cited_keys(ledger)
    for key, reference in ledger.references.items():
        place = (reference.path, reference.line, 1)
        if key not in cited and not ledger.broken:
            yield Problem(*place, "W707", f"no record cites `{key}`", "cite it, or delete it")
        if reference.status == "unchecked":
            hint = "ask a retraction database, then set x-status and x-status-on"
            yield Problem(*place, "W803", f"`{key}` was not checked for retraction", hint)


def cited_keys(ledger: Ledger) -> frozenset[str]:
    """Return the keys of all references that some record names."""
    kinds = (ledger.topics, ledger.claims, ledger.studies, ledger.syntheses)
    return frozenset(key for kind in kinds for entry in kind.values() for key in keys_of(entry))


def keys_of(entry: AnyEntry) -> frozenset[str]:
    """Return the keys of the references that a record names."""
    keys: set[str | None] = set()
    if isinstance(entry, Study):
        keys.update(entry.reports, (result.provenance.ref for result in entry.results))
    elif isinstance(entry, Claim):
        for appearance in entry.appearances:
            keys.add(appearance.source)
            for citation in appearance.citations:
                keys.update((citation.ref, *(candidate.ref for candidate in citation.candidates)))
    elif isinstance(entry, Synthesis):
        keys.add(entry.baseline.provenance.ref if entry.baseline else None)
    else:
        keys.update(entry.sources, (o.mid.provenance.ref for o in entry.outcomes.values() if o.mid))
    return frozenset(key for key in keys if key)


Check = Callable[..., Iterable[Problem]]

CHECKS: Mapping[str, tuple[Check, ...]] = MappingProxyType(
    {
        "topics": (links.topic_names_what_exists, review_is_by_another),
        "claims": (
            links.claim_names_what_exists,
            review_is_by_another,
            claim_says_what_it_asserts,
            citation_has_its_proof,
            evidence_line_is_whole,
            conclusions.lines_point_as_their_data,
            conclusions.verdict_follows_the_rule,
        ),
        "studies": (
            links.study_names_what_exists,
            review_is_by_another,
            study_can_be_found,
            values_can_be,
            provenance.reported_stands_in_figures,
            provenance.calculated_recomputes,
            second_hand_is_said,
            appraisal.risk_follows_its_domains,
            *consistency.CHECKS,
        ),
        "syntheses": (
            links.synthesis_names_what_exists,
            review_is_by_another,
            synthesis_is_one_question,
            certainty.certainty_follows_its_parts,
            certainty.data_suggest_the_same,
            basis.basis_is_current,
        ),
    }
)
WHOLE: tuple[Callable[[Ledger], Iterable[Problem]], ...] = (studies_are_used, references_are_cited)
