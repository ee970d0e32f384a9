"""What may be concluded of a claim: how certain the evidence is on which its verdict rests."""

from collections.abc import Iterator

from mesoevidence.ledger import Ledger
from mesoevidence.model import Claim, EvidenceLine, Study, Synthesis
from mesoevidence.vocabulary import DESIGNS, EvidenceStrength, words

ORDER: tuple[EvidenceStrength, ...] = words(EvidenceStrength)  # type: ignore[assignment]  # its words, strongest first


def evidence_strength(claim: Claim, ledger: Ledger) -> EvidenceStrength:
    """Return how certain the evidence on a claim is: its most direct and most certain line decides.

    A synthesis gives its overall certainty ("not-graded" where it has none). A study alone gives a
    provisional certainty by its design, never above low; what was read second-hand gives very low at most,
    and an indirect line one level less. Without any line it is "none".
    """
    found = list(_strengths(claim, ledger))
    for directness in ("direct", "indirect"):
        strengths = [strength for line, strength in found if line.directness == directness]
        if strengths:
            return min(strengths, key=ORDER.index)
    return "none"


def _strengths(claim: Claim, ledger: Ledger) -> Iterator[tuple[EvidenceLine, EvidenceStrength]]:
    """Yield the lines that are evidence, each with what it can carry."""
    for line in claim.evidence:
        if line.role == "background":
            continue
        strength: EvidenceStrength | None = None
        if synthesis := ledger.syntheses.get(line.synthesis or ""):
            strength = _of_synthesis(synthesis)
        elif study := ledger.studies.get(line.study or ""):
            strength = _of_study(study)
        if strength is not None:
            yield line, _one_less(strength) if line.directness == "indirect" else strength


def _of_synthesis(synthesis: Synthesis) -> EvidenceStrength:
    if synthesis.certainty and synthesis.certainty.overall:
        return synthesis.certainty.overall.judgement
    return "not-graded"


def _of_study(study: Study) -> EvidenceStrength | None:
    """Return the provisional certainty of one study; None where its design is no evidence by itself."""
    provisional = DESIGNS[study.design].provisional
    return "very-low" if provisional and study.read == "secondary" else provisional


def _one_less(strength: EvidenceStrength) -> EvidenceStrength:
    graded: tuple[EvidenceStrength, ...] = ("high", "moderate", "low", "very-low")
    return graded[min(graded.index(strength) + 1, 3)] if strength in graded else strength
