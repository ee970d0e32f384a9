"""How certain the evidence on a claim is: what each of its lines can carry, and which of them decide."""

from collections.abc import Iterator

from mesoevidence.certainty import strength_of
from mesoevidence.ledger import Ledger
from mesoevidence.model import Claim, EvidenceLine, Study, Synthesis
from mesoevidence.suggestions import LEVELS
from mesoevidence.vocabulary import DESIGNS, SET_ASIDE, EvidenceStrength, words

ORDER: tuple[EvidenceStrength, ...] = words(EvidenceStrength)  # type: ignore[assignment]  # strongest first


def evidence_strength(claim: Claim, ledger: Ledger) -> EvidenceStrength:
    """Return how certain the evidence on a claim is: its most direct and most certain line decides.

    A synthesis gives its overall certainty, or "not-graded" where it says that it is not graded. A study
    alone, or the best study of a synthesis that is not judged yet, gives a provisional certainty by its
    design, never above low; what was read second-hand gives very low at most, and an indirect line one level
    less. Without any line it is "none".
    """
    return deciding(claim, ledger)[0]


def deciding(claim: Claim, ledger: Ledger) -> tuple[EvidenceStrength, list[EvidenceLine]]:
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
        record = ledger.syntheses.get(line.synthesis or "") or ledger.studies.get(line.study or "")
        if record is None or record.status in SET_ASIDE or line.role == "background":
            continue
        strength = _of_synthesis(record, ledger) if isinstance(record, Synthesis) else _of_study(record)
        if claim.asserts == "fact":
            yield line, "not-graded"
        elif strength is not None:
            yield line, _one_less(strength) if line.directness == "indirect" else strength


def _of_synthesis(synthesis: Synthesis, ledger: Ledger) -> EvidenceStrength:
    """Return the certainty of a synthesis; before it is judged, the provisional one of its best study."""
    if recorded := strength_of(synthesis):
        return recorded
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
    return LEVELS[min(LEVELS.index(strength) + 1, 3)] if strength in LEVELS else strength
