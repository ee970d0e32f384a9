"""What may be concluded of a claim: how certain its evidence is, and the verdict that follows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesoevidence.ledger import Ledger, of
from mesoevidence.model import Claim, EvidenceLine, Study, Synthesis
from mesoevidence.problems import EvidenceError, Problem
from mesoevidence.vocabulary import DESIGNS, EvidenceStrength, VerdictWord, Wording, words

ORDER: tuple[EvidenceStrength, ...] = words(EvidenceStrength)  # type: ignore[assignment]  # strongest first
_GRADED: tuple[EvidenceStrength, ...] = ("high", "moderate", "low", "very-low")
# How certain a wording each certainty allows (GRADE guidelines 26, Santesso 2020): "does", "probably", "may".
_ALLOWED: dict[EvidenceStrength, int] = {"high": 3, "moderate": 2, "low": 1}
_CERTAIN: dict[Wording, int] = {"certain": 3, "probable": 2, "possible": 1}
# From the mildest to the strictest: a recorded verdict may be stricter than the rule, never milder.
_STRICT: tuple[VerdictWord, ...] = ("supported", "overstated", "insufficient", "contradicted")


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The verdict that the rules give for a claim.

    Attributes
    ----------
    verdict : str or None
        supported, overstated, insufficient, contradicted, unverifiable or not-assessed; None where the rules
        leave the verdict to a person (claims about the state of the evidence).
    strength : str
        How certain the evidence is on which it rests.
    reasons : tuple of str
        The steps that lead to it, in order.
    overclaim : int or None
        By how many steps the strongest wording exceeds what the evidence allows (0 to 3); None where no
        wording was recorded.
    """

    verdict: VerdictWord | None
    strength: EvidenceStrength
    reasons: tuple[str, ...]
    overclaim: int | None


def conclude(data: object, claim: str | Claim) -> Conclusion:
    """Return the verdict on a claim with its reasoning.

    Parameters
    ----------
    data : Evidence or Ledger
        Where the claim and its evidence stand.
    claim : str or Claim
        A claim or its id.

    Raises
    ------
    EvidenceError
        When there is no such claim.

    Examples
    --------
    >>> import mesoevidence as me
    >>> evidence = me.load()
    >>> claim = next(iter(evidence.claims))
    >>> me.conclude(evidence, claim).strength in ("high", "moderate", "low", "very-low", "not-graded", "none")
    True
    """
    ledger = of(data)
    if isinstance(claim, str):
        if claim not in ledger.claims:
            raise EvidenceError(f"there is no claim {claim!r}")
        claim = ledger.claims[claim]
    strength, lines = _deciding(claim, ledger)
    verdict, reasons = _verdict(claim, strength, lines)
    wordings = [item.wording for item in claim.appearances if item.wording]
    strongest = max((_CERTAIN[word] for word in wordings), default=None)
    overclaim = None if strongest is None else max(0, strongest - _ALLOWED.get(strength, 0))
    return Conclusion(verdict, strength, tuple(reasons), overclaim)


def evidence_strength(claim: Claim, ledger: Ledger) -> EvidenceStrength:
    """Return how certain the evidence on a claim is: its most direct and most certain line decides.

    A synthesis gives its overall certainty, or "not-graded" where it says that it is not graded. A study
    alone, or the best study of a synthesis that is not judged yet, gives a provisional certainty by its
    design, never above low; what was read second-hand gives very low at most, and an indirect line one level
    less. Without any line it is "none".
    """
    return _deciding(claim, ledger)[0]


def _deciding(claim: Claim, ledger: Ledger) -> tuple[EvidenceStrength, list[EvidenceLine]]:
    """Return the strength that decides, and the lines that have it."""
    found = list(_strengths(claim, ledger))
    for directness in ("direct", "indirect"):
        level = [(line, strength) for line, strength in found if line.directness == directness]
        if level:
            best = min((strength for _, strength in level), key=ORDER.index)
            return best, [line for line, strength in level if strength == best]
    return "none", []


def _strengths(claim: Claim, ledger: Ledger) -> Iterator[tuple[EvidenceLine, EvidenceStrength]]:
    """Yield the lines that are evidence, each with what it can carry."""
    for line in claim.evidence:
        if line.role == "background":
            continue
        strength: EvidenceStrength | None = None
        if synthesis := ledger.syntheses.get(line.synthesis or ""):
            strength = _of_synthesis(synthesis, ledger)
        elif study := ledger.studies.get(line.study or ""):
            strength = _of_study(study)
        else:
            continue
        if claim.asserts == "fact":
            yield line, "not-graded"
        elif strength is not None:
            yield line, _one_less(strength) if line.directness == "indirect" else strength


def _of_synthesis(synthesis: Synthesis, ledger: Ledger) -> EvidenceStrength:
    """Return the certainty of a synthesis; before it is judged, the provisional one of its best study."""
    if synthesis.certainty and synthesis.certainty.overall:
        return synthesis.certainty.overall.judgement
    if synthesis.certainty and synthesis.certainty.system == "none":
        return "not-graded"
    studies = [ledger.studies[line.study] for line in synthesis.include if line.study in ledger.studies]
    provisional = [strength for study in studies if (strength := _of_study(study))]
    return min(provisional, key=ORDER.index, default="not-graded")


def _of_study(study: Study) -> EvidenceStrength | None:
    """Return the provisional certainty of one study; None where its design is no evidence by itself."""
    provisional = DESIGNS[study.design].provisional
    own = [result for result in study.results if result.provenance.ref in study.reports]
    second_hand = study.read == "secondary" or bool(study.results and not own)
    return "very-low" if provisional and second_hand else provisional


def _one_less(strength: EvidenceStrength) -> EvidenceStrength:
    return _GRADED[min(_GRADED.index(strength) + 1, 3)] if strength in _GRADED else strength


def _verdict(
    claim: Claim, strength: EvidenceStrength, lines: Sequence[EvidenceLine]
) -> tuple[VerdictWord | None, list[str]]:
    """Return the verdict by the table of the record's schema, and the steps to it."""
    if claim.kind == "background":
        return "not-assessed", ["background asserts nothing that evidence could bear out"]
    if claim.kind == "evidence-state":
        return None, ["a claim about the state of the evidence is judged against the ledger by a person"]
    if not lines:
        return _without_evidence(claim)
    reasons = [f"the most direct and most certain evidence is {strength} ({_named(lines)})"]
    directions: set[str] = {line.direction for line in lines}
    if len(directions - {"neutral"}) > 1:
        return "insufficient", [*reasons, "its lines are equally strong and disagree"]
    if claim.asserts == "fact":
        return _fact(directions, reasons)
    if claim.asserts in ("frequency", "no-difference"):
        why = f"a claim of {claim.asserts} needs an interval inside a stated threshold, and none is recorded"
        return "insufficient", [*reasons, why]
    return _effect(claim, strength, directions, reasons)


def _without_evidence(claim: Claim) -> tuple[VerdictWord, list[str]]:
    citations = [citation for item in claim.appearances for citation in item.cited]
    lost = ("unresolved", "nonexistent")
    if citations and all(
        citation.resolution in lost or (citation.fidelity and citation.fidelity.judgement == "unobtainable")
        for citation in citations
    ):
        return "unverifiable", ["no evidence, and nothing that is cited could be found"]
    if claim.search or any(citation.search for citation in citations):
        return "insufficient", ["a search found no evidence"]
    return "not-assessed", ["no evidence was recorded, and no search"]


def _fact(directions: set[str], reasons: list[str]) -> tuple[VerdictWord, list[str]]:
    """Return the verdict on a statement of fact, which sources bear out or not."""
    if "contradicts" in directions:
        return "contradicted", [*reasons, "its sources say otherwise"]
    if "supports" in directions:
        return "supported", [*reasons, "its sources say so"]
    return "insufficient", [*reasons, "its sources settle it neither way"]


def _effect(
    claim: Claim, strength: EvidenceStrength, directions: set[str], reasons: list[str]
) -> tuple[VerdictWord, list[str]]:
    """Return the verdict on a claim of an effect."""
    if strength not in _ALLOWED:
        return "insufficient", [*reasons, "so uncertain evidence allows no conclusion"]
    supports = "supports" in directions
    if strength in ("high", "moderate") and not supports:
        return "contradicted", [*reasons, "it shows little or no effect, or the opposite"]
    if not supports:
        opposite = "points the other way" if "contradicts" in directions else "shows little or no effect"
        return "overstated", [*reasons, f"as far as it goes it {opposite}"]
    wordings = [item.wording for item in claim.appearances if item.wording]
    beyond = [word for word in wordings if _CERTAIN[word] > _ALLOWED[strength]]
    if beyond:
        allowed = next(word for word, rank in _CERTAIN.items() if rank == _ALLOWED[strength])
        return "overstated", [*reasons, f"worded as {beyond[0]}, where {allowed} is allowed"]
    if any(item.size == "large" for item in claim.appearances) and strength != "high":
        return "overstated", [*reasons, "called large, which this evidence does not bear out"]
    return "supported", [*reasons, "worded no more strongly than that allows"]


def _named(lines: Sequence[EvidenceLine]) -> str:
    return ", ".join(f"{line.study or line.synthesis} {line.direction}" for line in lines)


def verdict_follows_the_rule(claim: Claim, ledger: Ledger) -> Iterator[Problem]:
    """A recorded verdict may be stricter than the rule, and says why; it is never milder."""
    named = [line.study or line.synthesis for line in claim.evidence]
    if claim.verdict is None or any(name not in ledger.records for name in named):
        return  # what is missing is named by another check
    conclusion = conclude(ledger, claim)
    recorded, by_rule = claim.verdict.judgement, conclusion.verdict
    if by_rule is None or recorded == by_rule:
        return
    if recorded in _STRICT and by_rule in _STRICT and _STRICT.index(recorded) > _STRICT.index(by_rule):
        return
    message = f"`{recorded}`, where the rule gives `{by_rule}`: {'; '.join(conclusion.reasons)}"
    hint = "change the verdict, or the lines it rests on"
    yield ledger.problem("E421", claim.id, ("verdict", "judgement"), message, hint)
