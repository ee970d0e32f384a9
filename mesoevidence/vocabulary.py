"""The closed vocabularies: every word a field may take, and what each study design stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

ClaimKind = Literal[
    "benefit", "harm", "regimen", "mechanism", "prevalence", "history", "evidence-state", "background"
]
Asserts = Literal["increase", "decrease", "no-difference", "frequency", "fact"]
Wording = Literal["certain", "probable", "possible"]
Size = Literal["large", "some", "small", "none", "not-stated"]
Specificity = Literal["full", "partial", "vague", "none"]
Resolution = Literal["resolved", "ambiguous", "unresolved", "nonexistent", "pending"]
Match = Literal["probable", "possible", "mismatch"]
# Mogull 2017; Jergas and Baethge.
Fidelity = Literal[
    "accurate", "oversimplified", "overgeneralised", "inaccurate", "indirect", "unsubstantiated",
    "unrelated", "contradicts", "unobtainable", "unchecked",
]  # fmt: skip
LineDirection = Literal["supports", "contradicts", "neutral"]
Directness = Literal["direct", "indirect"]
Gap = Literal["population", "intervention", "comparator", "outcome"]
Role = Literal["background", "methods", "result", "conclusion"]
VerdictWord = Literal[
    "supported", "overstated", "insufficient", "contradicted", "unverifiable", "not-assessed"
]
EvidenceStrength = Literal["high", "moderate", "low", "very-low", "not-graded", "none"]

Status = Literal["draft", "reviewed", "rejected", "superseded"]
SET_ASIDE = frozenset({"rejected", "superseded"})  # such a record stays to be read, and is no evidence
OutcomeType = Literal["continuous", "dichotomous", "time-to-event", "count", "ordinal", "proportion"]
Better = Literal["higher", "lower"]
Importance = Literal["critical", "important", "limited"]

Read = Literal["full-text", "excerpt", "abstract", "registry", "secondary"]
Funding = Literal["industry", "public", "mixed", "none", "not-reported"]
Analysed = Literal["itt", "per-protocol", "completers", "unclear"]
ResultDirection = Literal["increase", "decrease", "no-difference", "mixed"]
ReadingMethod = Literal["reported", "calculated", "digitised", "author-contact"]
Operator = Literal["<", "<=", "=", ">", ">="]

Measure = Literal["MD", "SMD", "RR", "OR", "RD", "ROM", "PLO", "PR", "IRR", "GEN"]
EffectMeasure = Literal["MD", "SMD", "RR", "OR", "RD", "ROM", "PLO", "PR", "IRR", "GEN", "HR"]
PoolMethod = Literal["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM", "MH", "Peto"]
PoolTest = Literal["z", "t", "knha", "adhoc"]

RobTool = Literal[
    "rob2", "rob2-cluster", "rob2-crossover", "rob1", "robins-i-v1", "robins-i-v2", "amstar2", "jbi",
    "custom",
]  # fmt: skip
CertaintyLevel = Literal["high", "moderate", "low", "very-low"]
CertaintySystem = Literal["grade", "none"]
ReferenceStatus = Literal[
    "none", "retracted", "expression-of-concern", "corrected", "reinstated", "unchecked"
]

Design = Literal[
    "rct", "rct-cluster", "rct-crossover", "rct-within-person", "quasi-rct", "nonrandomised-trial",
    "nonrandomised-within-person", "cohort", "case-control", "before-after", "cross-sectional",
    "case-series", "case-report", "outbreak", "in-vitro", "ex-vivo", "animal", "instrument",
    "systematic-review", "meta-analysis", "network-meta-analysis", "narrative-review", "guideline",
    "regulatory", "registry-entry", "expert-opinion", "popular-article",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class DesignFacts:
    """What a design stands for before anything is known of how the study was done.

    Attributes
    ----------
    label : str
        The design in words.
    start : {"high", "low", "very-low", None}
        Where GRADE starts a body of such studies (Core GRADE 4, BMJ 2025;389:e083864); None where a body
        of them is not rated.
    level : int or None
        OCEBM 2011 level for a question of treatment benefit; None where the table has no row.
    sevco : tuple of str
        Codes of the Scientific Evidence Code System, where one was read.
    provisional : {"low", "very-low", None}
        The most that one such study, without a synthesis, may lend to a claim.
    """

    label: str
    start: CertaintyLevel | None
    level: int | None
    sevco: tuple[str, ...]
    provisional: CertaintyLevel | None


_ = DesignFacts
DESIGNS: Mapping[str, DesignFacts] = MappingProxyType(
    {
        "rct": _("randomised trial", "high", 2, ("01003", "01011"), "low"),
        "rct-cluster": _("cluster-randomised trial", "high", 2, ("01003", "01015"), "low"),
        "rct-crossover": _("randomised crossover trial", "high", 2, ("01003", "01012"), "low"),
        "rct-within-person": _("within-person randomised trial", "high", 2, ("01003", "01014"), "low"),
        "quasi-rct": _("quasi-randomised trial", "low", 3, ("01004",), "low"),
        "nonrandomised-trial": _("non-randomised controlled trial", "low", 3, ("01005",), "low"),
        "nonrandomised-within-person": _("within-person non-randomised trial", "low", 3, (), "low"),
        "cohort": _("cohort study", "low", 3, ("01002", "01011"), "low"),
        "case-control": _("case-control study", "low", 4, ("01013",), "low"),
        "before-after": _("single-arm before-after study", "low", 4, ("01019",), "very-low"),
        "cross-sectional": _("cross-sectional study", "low", None, ("01027",), "very-low"),
        "case-series": _("case series", "low", 4, ("01016",), "very-low"),
        "case-report": _("case report", "very-low", 4, ("01017",), "very-low"),
        "outbreak": _("outbreak investigation", "low", 4, (), "very-low"),
        "in-vitro": _("laboratory study", None, 5, (), "very-low"),
        "ex-vivo": _("ex-vivo study", None, 5, (), "very-low"),
        "animal": _("animal study", None, 5, (), "very-low"),
        "instrument": _("study of a measuring instrument", None, None, (), "very-low"),
        "systematic-review": _("systematic review", None, 1, (), "low"),
        "meta-analysis": _("systematic review with meta-analysis", None, 1, (), "low"),
        "network-meta-analysis": _("network meta-analysis", None, 1, (), "low"),
        "narrative-review": _("narrative review", None, 5, (), None),
        "guideline": _("guideline", None, None, (), None),
        "regulatory": _("regulatory document", None, None, (), None),
        "registry-entry": _("registry entry", None, None, (), None),
        "expert-opinion": _("expert opinion", None, 5, (), None),
        "popular-article": _("popular article", None, None, (), None),
    }
)
del _


def words(vocabulary: object) -> tuple[str, ...]:
    """Return the words of a vocabulary in their order.

    >>> words(Wording)
    ('certain', 'probable', 'possible')
    """
    return get_args(vocabulary)
