"""What needs more than one field or one record: the checks, run over every record of a ledger."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType

from mesoevidence import appraisal, basis, certainty, conclusions, consistency, links, provenance
from mesoevidence.bodies import result_of
from mesoevidence.ledger import Ledger
from mesoevidence.model import AnyEntry, Citation, Claim, Result, Study, Synthesis
from mesoevidence.problems import Found, Path, Problem

Check = Callable[..., Iterable[Found]]

# What each resolution of a citation rests on: a field, and how it is asked for.
_PROOF = {
    "resolved": ("ref", "a `ref`"),
    "ambiguous": ("candidates", "`candidates`"),
    "unresolved": ("search", "a `search`"),
    "nonexistent": ("search", "a `search`"),
}
# Values that an outcome of a type cannot have.
_STRANGE = {
    "dichotomous": ("mean", "sd", "se", "median", "q1", "q3", "min", "max"),
    "continuous": ("events", "proportion"),
}


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
            record = ledger.records[entry.id]
            flags = {flag.code for flag in entry.flags} if isinstance(entry, Study) else frozenset()
            for run in checks:
                runs += 1
                for code, path, message, hint, key in run(entry, ledger):
                    problem = record.problem(code, path, message, hint, key=key)
                    known = code in flags and problem.severity != "error"  # errors are ours to mend
                    (acknowledged if known else problems).append(problem)
    for run_once in WHOLE:
        runs += 1
        problems += run_once(ledger)
    return Checked(tuple(sorted(problems)), tuple(sorted(acknowledged)), len(ledger.records), runs)


def of_each_result(check: Check) -> Check:
    """Return the check of a study that makes a check of each of its results."""

    @wraps(check)
    def run(study: Study, ledger: Ledger) -> Iterator[Found]:
        for at, result in enumerate(study.results):
            for found in check(result, study, ledger):
                yield found._replace(path=("results", at, *found.path))

    return run


# Fields that must agree with each other ----------------------------------------------------------


def review_is_by_another(entry: AnyEntry, ledger: Ledger) -> Iterator[Found]:
    """What is called reviewed was reviewed by somebody else."""
    if entry.status == "reviewed" and (not entry.reviewed_by or entry.reviewed_by == entry.by):
        hint = "name the reviewer, who is another than `by`, or write `status: draft`"
        yield Found("E214", ("status",), "reviewed by nobody else", hint)
    if entry.reviewed_by and entry.status != "reviewed":
        hint = "write `status: reviewed`, or leave `reviewed_by` out"
        yield Found("E211", ("reviewed_by",), "a reviewer of a record that is not reviewed", hint)


def claim_says_what_it_asserts(claim: Claim, ledger: Ledger) -> Iterator[Found]:
    """Every claim but background asserts something, and appears somewhere."""
    if claim.kind == "background" and claim.asserts:
        message = "background asserts nothing that can be judged"
        yield Found("E217", ("asserts",), message, "leave `asserts` out, or choose another kind")
    if claim.kind != "background" and not claim.asserts:
        hint = "add `asserts: increase | decrease | no-difference | frequency | fact`"
        yield Found("E217", ("kind",), f"a claim of {claim.kind} without `asserts`", hint)
    if not claim.appearances:
        yield Found("W702", ("id",), "nobody makes this claim", "add the place where it stands")


def words_are_few(claim: Claim, ledger: Ledger) -> Iterator[Found]:
    """No more than eight words of a source are copied: a witness of the wording, not a quotation."""
    for at, item in enumerate(claim.appearances):
        if (count := len((item.words or "").split())) > 8:
            hint = "keep at most eight consecutive words"
            yield Found("E305", ("appearances", at, "words"), f"{count} words of a source", hint)


def citation_has_its_proof(claim: Claim, ledger: Ledger) -> Iterator[Found]:
    """A resolution comes with what it rests on."""
    for at, appearance in enumerate(claim.appearances):
        for number, citation in enumerate(appearance.citations):
            here = ("appearances", at, "citations", number)
            yield from _cited_or_not(citation, here)
            proof = _PROOF.get(citation.resolution or "")
            if proof and not getattr(citation, proof[0]):
                message = f"`{citation.resolution}` without {proof[1]}"
                yield Found("E213", (*here, "resolution"), message, f"add {proof[1]}")
            if citation.resolution == "pending":
                message = "nobody has traced this citation yet"
                yield Found("W704", (*here, "resolution"), message, "trace it, and log the search")
            for item, candidate in enumerate(citation.candidates):
                if bool(candidate.ref) == bool(candidate.label):
                    message = "a candidate has a `ref`, or a `label` when it was not seen"
                    yield Found("E215", (*here, "candidates", item), message, "give exactly one of them")


def _cited_or_not(citation: Citation, here: Path) -> Iterator[Found]:
    """What cites nothing says no more than that; what cites says what, and what became of it."""
    given = citation.model_fields_set - {"specificity"}
    if citation.specificity == "none" and given:
        message = "`specificity: none` says that nothing is cited, and the rest says what is"
        hint = "leave the rest out, or say how specific the citation is"
        yield Found("E211", (*here, "specificity"), message, hint)
    elif citation.specificity != "none":
        for name, field in (("as", "described"), ("resolution", "resolution")):
            if field not in given:
                hint = "say what is cited, and what was found of it"
                yield Found("E201", here, f"`{name}` is missing", hint)


def evidence_line_is_whole(claim: Claim, ledger: Ledger) -> Iterator[Found]:
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
            yield Found("E218", here, "a line names one study or one synthesis", "give exactly one of them")
        if (line.directness == "indirect") != bool(line.gap):
            hint = "an indirect line names its gap, a direct one has none"
            yield Found("E219", (*here, "directness"), "`gap` and `directness` disagree", hint)
        if line.role == "background":
            message = "a background passage is no evidence"
            yield Found("W701", (*here, "role"), message, "cite the source it rests on")
        if line.study in inside:
            message = f"`{line.study}` stands in the synthesis `{inside[line.study]}` already"
            yield Found("E225", (*here, "study"), message, "delete this line")
    searched = claim.search or any(item.search for view in claim.appearances for item in view.cited)
    if not claim.evidence and not searched and claim.kind not in ("background", "evidence-state"):
        message = "no evidence, and no search that failed to find any"
        yield Found("W703", ("id",), message, "add a line of evidence, or log the search")


def study_can_be_found(study: Study, ledger: Ledger) -> Iterator[Found]:
    """A study has a report, a registration or at least a title; its result ids differ."""
    if not (study.reports or study.registration or study.title):
        hint = "give `reports`, `registration` or `title`"
        yield Found("E226", ("id",), "nothing says where this study could be found", hint)
    ids = [result.id for result in study.results]
    for at, name in enumerate(ids):
        if name in ids[:at]:
            message = f"the result `{name}` stands twice"
            yield Found("E111", ("results", at, "id"), message, "give it another id")


def values_can_be(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """A result says something; events within persons, quartiles in order, values of the outcome's kind."""
    effect, outcome = result.effect, ledger.outcomes.get(result.outcome)
    kind = outcome.type if outcome else ""
    if not (result.values or effect or result.paired or result.direction):
        hint = "give values, an effect, a paired difference, or at least a direction"
        yield Found("E216", ("id",), "this result says nothing", hint)
    for arm, values in result.values.items():
        here = ("values", arm)
        if values.events is not None and values.n is not None and values.events > values.n:
            message = f"{values.events} events in {values.n} persons"
            yield Found("E210", (*here, "events"), message, "check the figures again")
        order = (values.min, values.q1, values.median, values.q3, values.max)
        known = [number for number in order if number is not None]
        if known != sorted(known):
            message = f"min, q1, median, q3, max are out of order: {', '.join(map(str, known))}"
            yield Found("E222", here, message, "check the figures again")
        for name in _STRANGE.get(kind, ()):
            if getattr(values, name) is not None:
                message = f"`{name}` for `{result.outcome}`, which is {kind}"
                yield Found("E223", (*here, name), message, "choose another outcome, or other values")
    if effect and effect.ci and not effect.ci[0] <= effect.estimate <= effect.ci[1]:
        low, high = effect.ci
        message = f"the interval {low} to {high} does not hold the estimate {effect.estimate}"
        yield Found("E212", ("effect", "ci"), message, "lower limit first; check the figures again")


def second_hand_is_said(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """A number read in another document than the study's own is second-hand."""
    if result.provenance.ref not in study.reports:
        message = f"second-hand: read in `{result.provenance.ref}`"
        hint = "read the study's own report when it can be had"
        yield Found("W705", ("from", "ref"), message, hint)


def synthesis_is_one_question(synthesis: Synthesis, ledger: Ledger) -> Iterator[Found]:
    """An analysis or a narrative; results of the one outcome; each arm once; nobody both in and out."""
    if bool(synthesis.analysis) == bool(synthesis.narrative):
        hint = "keep one: `analysis` when it is pooled, `narrative` with why when it is not"
        yield Found("E220", ("id",), "an analysis or a narrative: exactly one", hint)
    used: dict[tuple[str, str], int] = {}
    asked = synthesis.pico.outcome
    for at, line in enumerate(synthesis.include):
        here = ("include", at)
        if line.study in synthesis.exclude:
            message = f"`{line.study}` is included and excluded"
            yield Found("E228", (*here, "study"), message, "keep one")
        found = result_of(line, ledger)
        if found and asked and found.outcome != asked:
            message = f"`{line.result}` of `{line.study}` is a result of `{found.outcome}`"
            yield Found("E224", (*here, "result"), message, f"this synthesis asks about `{asked}`")
        if set(line.intervention) & set(line.comparator) or (synthesis.analysis and not line.intervention):
            message = "it does not say which arms were compared"
            yield Found("E229", here, message, "name other arms for each side")
        for side in ("intervention", "comparator"):
            for arm in getattr(line, side):
                if synthesis.analysis and used.setdefault((line.study, arm), at) != at:
                    message = f"the arm `{arm}` of `{line.study}` is used twice"
                    hint = "combine the arms it is compared with in one line"
                    yield Found("E221", (*here, side), message, hint)


# The ledger as a whole ---------------------------------------------------------------------------


def studies_are_used(ledger: Ledger) -> Iterator[Problem]:
    """Every study bears on a claim, a synthesis or a review, unless one that was not read may name it."""
    if ledger.broken:
        return
    used = {line.study for claim in ledger.claims.values() for line in claim.evidence}
    used |= {line.study for synthesis in ledger.syntheses.values() for line in synthesis.include}
    used |= {study for synthesis in ledger.syntheses.values() for study in synthesis.exclude}
    used |= {study for review in ledger.studies.values() for study in review.includes}
    for name in ledger.studies:
        if name not in used:
            message, hint = f"nothing names the study `{name}`", "name it where it bears on a claim"
            yield ledger.records[name].problem("W706", ("id",), message, hint)


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
    return frozenset(key for _, key in links.references_of(entry))


# What is checked in each result of a study, and what in each record.
OF_RESULTS = (values_can_be, second_hand_is_said, *provenance.CHECKS, *consistency.CHECKS)
CHECKS: Mapping[str, tuple[Check, ...]] = MappingProxyType(
    {
        "topics": (links.topic_names_what_exists, review_is_by_another),
        "claims": (
            links.claim_names_what_exists,
            review_is_by_another,
            claim_says_what_it_asserts,
            words_are_few,
            citation_has_its_proof,
            evidence_line_is_whole,
            conclusions.lines_point_as_their_data,
            conclusions.verdict_follows_the_rule,
        ),
        "studies": (
            links.study_names_what_exists,
            review_is_by_another,
            study_can_be_found,
            appraisal.risk_follows_its_domains,
            *map(of_each_result, OF_RESULTS),
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
