"""What may be concluded of a claim: how certain its evidence is, and the verdict that follows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from mesoevidence.blocks import Pico
from mesoevidence.bodies import WITHIN, result_of
from mesoevidence.ledger import Ledger, of
from mesoevidence.model import Claim, EvidenceLine, Result, Study
from mesoevidence.problems import EvidenceError, Found, guess
from mesoevidence.strength import deciding
from mesoevidence.suggestions import LEVELS
from mesoevidence.targets import Seen, case, side_of
from mesoevidence.vocabulary import EvidenceStrength, Size, VerdictWord, Wording

Lines: TypeAlias = Sequence[EvidenceLine]
Ruling: TypeAlias = tuple[VerdictWord, list[str]]  # a verdict, and the steps to it

# How certain a wording each certainty allows (GRADE guidelines 26, Santesso 2020): "does", "probably", "may".
_ALLOWED: dict[EvidenceStrength, int] = {"high": 3, "moderate": 2, "low": 1}
_CERTAIN: dict[Wording, int] = {"certain": 3, "probable": 2, "possible": 1}
# How large an effect a wording and the data say; an effect whose size was not computed bears out "some".
_LARGE: dict[Size, int] = {"none": 0, "small": 1, "some": 2, "large": 3}
# From the mildest to the strictest: a recorded verdict may be stricter than the rule, never milder.
_STRICT: tuple[VerdictWord, ...] = ("supported", "overstated", "insufficient", "contradicted")
_UNCERTAIN = "so uncertain evidence allows no conclusion"


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
        wording was recorded, and for claims that no certainty is asked of.
    overclaim_size : int or None
        By how many steps the largest size that is claimed exceeds that of the data: none, small, some, large;
        None where no size is claimed. Evidence that allows no conclusion bears out no size.
    """

    verdict: VerdictWord | None
    strength: EvidenceStrength
    reasons: tuple[str, ...]
    overclaim: int | None
    overclaim_size: int | None


def conclude(data: object, claim: str | Claim) -> Conclusion:
    """Return the verdict on a claim with its reasoning.

    Parameters
    ----------
    data : Evidence or Ledger
        Where the claim and its evidence stand.
    claim : str or Claim
        A claim or its id.

    Returns
    -------
    Conclusion
        By the table of verdicts in `docs/methods.md`: certainty by GRADE, and the wording it allows by GRADE
        guidelines 26 (Santesso 2020, J Clin Epidemiol 119:126).

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
            raise EvidenceError(f"there is no claim {claim!r}{guess(claim, ledger.claims)}")
        claim = ledger.claims[claim]
    strength, lines = deciding(claim, ledger)
    verdict, reasons = _verdict(claim, strength, lines, ledger)
    if lost := _lost(claim, ledger):
        reasons = [*reasons, f"not weighed, because missing or not to be read: {', '.join(lost)}"]
    graded = claim.asserts != "fact" and claim.kind not in ("background", "evidence-state")
    wordings = [_CERTAIN[item.wording] for item in claim.appearances if item.wording and graded]
    sizes = [_LARGE[item.size] for item in claim.appearances if item.size in _LARGE and graded]
    allowed = _size_seen(lines, ledger)[0] if strength in _ALLOWED else 0
    return Conclusion(
        verdict,
        strength,
        tuple(reasons),
        max(0, max(wordings) - _ALLOWED.get(strength, 0)) if wordings else None,
        max(0, max(sizes) - allowed) if sizes else None,
    )


def prospects(data: object, claim: str) -> dict[Wording, dict[EvidenceStrength, VerdictWord | None]]:
    """Return the verdict by rule for each wording and each certainty of the evidence: what would change it.

    The evidence points where it does now, and the size is the one that is claimed. Empty for a claim without
    evidence, and for one that no certainty is asked of.

    Examples
    --------
    >>> import mesoevidence as me
    >>> found = prospects(me.load(), "dutasteride-mesotherapy-regrows-hair")
    >>> found["possible"]["low"], found["certain"]["low"]
    ('supported', 'overstated')
    """
    ledger = of(data)
    made = ledger.claims[claim]
    lines = deciding(made, ledger)[1]
    if not lines or made.asserts in (None, "fact") or made.kind in ("background", "evidence-state"):
        return {}
    return {
        wording: {level: _verdict(_worded_as(made, wording), level, lines, ledger)[0] for level in LEVELS}
        for wording in _CERTAIN
    }


def _worded_as(claim: Claim, wording: Wording) -> Claim:
    said = [item.model_copy(update={"wording": wording}) for item in claim.appearances]
    return claim.model_copy(update={"appearances": tuple(said)})


def _verdict(
    claim: Claim, strength: EvidenceStrength, lines: Lines, ledger: Ledger
) -> tuple[VerdictWord | None, list[str]]:
    """Return the verdict by the table of the record's schema, and the steps to it."""
    if claim.kind == "background":
        return "not-assessed", ["background asserts nothing that evidence could bear out"]
    if claim.kind == "evidence-state":
        return None, ["a claim about the state of the evidence is judged against the ledger by a person"]
    if not lines:
        return _without_evidence(claim, ledger)
    named = ", ".join(f"{line.study or line.synthesis} {line.direction}" for line in lines)
    first = f"the most direct and most certain evidence is {strength} ({named})"
    if len({line.direction for line in lines} - {"neutral"}) > 1:
        return "insufficient", [first, "its lines are equally strong and disagree"]
    verdict, said = _RULES.get(claim.asserts or "", _effect)(claim, strength, lines, ledger)
    return verdict, [first, *said]


def _without_evidence(claim: Claim, ledger: Ledger) -> Ruling:
    if _lost(claim, ledger):
        return "not-assessed", ["no evidence is left to weigh"]
    citations = [citation for item in claim.appearances for citation in item.cited]
    lost = ("unresolved", "nonexistent")
    if citations and all(
        citation.resolution in lost or (citation.fidelity and citation.fidelity.judgement == "unobtainable")
        for citation in citations
    ):
        return "unverifiable", ["no evidence, and nothing that is cited could be found"]
    if claim.search or any(citation.search for citation in citations):
        return "insufficient", ["a search found no evidence"]
    if claim.evidence:
        return "not-assessed", ["nothing that was recorded counts as evidence, and no search was"]
    return "not-assessed", ["no evidence was recorded, and no search"]


def _lost(claim: Claim, ledger: Ledger) -> list[str]:
    """Return what a claim rests on, and is missing or could not be read: its lines, the studies of those."""
    named = [line.study or line.synthesis or "" for line in claim.evidence]
    cited = [ledger.syntheses[name] for name in named if name in ledger.syntheses]
    named += [line.study for synthesis in cited for line in synthesis.include]
    return sorted({name for name in named if name not in ledger.studies and name not in ledger.syntheses})


def _fact(claim: Claim, strength: EvidenceStrength, lines: Lines, ledger: Ledger) -> Ruling:
    """Return the verdict on a statement of fact, which sources bear out or not."""
    directions = {line.direction for line in lines}
    if "contradicts" in directions:
        return "contradicted", ["its sources say otherwise"]
    if "supports" in directions:
        return "supported", ["its sources say so"]
    return "insufficient", ["its sources settle it neither way"]


def _within(claim: Claim, strength: EvidenceStrength, lines: Lines, ledger: Ledger) -> Ruling:
    """Return the verdict on a claim of no difference or of a frequency, by interval and threshold."""
    places = [place for line in lines if (place := _interval_place(line, ledger))]
    said = [*_none_seen(claim, lines, ledger), *(words for _, words in places)]
    if not places:
        why = f"a claim of {claim.asserts} needs an interval inside a stated threshold, and none is recorded"
        return "insufficient", [*said, why]
    if strength not in _ALLOWED:
        return "insufficient", [*said, _UNCERTAIN]
    found = {where for where, _ in places}
    if found == {"outside"}:
        return ("overstated" if strength == "low" else "contradicted"), said
    if found != {"inside"}:
        return "insufficient", said
    verdict, last = _worded(claim, strength)
    return verdict, [*said, last]


def _interval_place(line: EvidenceLine, ledger: Ledger) -> tuple[str, str] | None:
    """Return whether a synthesis' interval lies inside the threshold it states, and that in words."""
    synthesis = ledger.syntheses.get(line.synthesis or "")
    seen = case(ledger, synthesis).seen if synthesis else None
    effect = seen.against() if seen else None
    if seen is None or effect is None or seen.threshold is None or seen.threshold.low == seen.threshold.high:
        return None
    sides = {side_of(end, seen.threshold) for end in (effect.low, effect.high)}
    where = "inside" if sides == {"inside"} else "outside" if len(sides) == 1 else "across"
    said = f"the interval {effect.low:.3g} to {effect.high:.3g} lies {where} {seen.threshold.said}"
    return where, f"{line.synthesis}: {said}"


def _none_seen(claim: Claim, lines: Lines, ledger: Ledger) -> Iterator[str]:
    """Yield, where nobody had the event, how often it may happen all the same: 3/n, the rule of three.

    Only who was given what the claim is about counts, and each study once, however often it looked.
    """
    asked = claim.pico or Pico()
    for line in lines:
        synthesis, study = ledger.syntheses.get(line.synthesis or ""), ledger.studies.get(line.study or "")
        include = synthesis.include if synthesis else ()
        parts = [(item.study, result_of(item, ledger), item.intervention) for item in include]
        if study:
            named = study.arms.items()
            arms = tuple(name for name, arm in named if arm.intervention in (asked.intervention or ()))
            parts = [(study.id, item, arms) for item in study.results if item.outcome == asked.outcome]
        counts = [(name, *_counted(ledger.studies.get(name), result, arms)) for name, result, arms in parts]
        persons = sum({name: n for name, _, n in sorted(counts, key=lambda found: found[2])}.values())
        if persons and all(events == 0 for _, events, _ in counts):
            bound = f"up to {300 / persons:.2g} % cannot be ruled out (3/n)"
            yield f"{line.study or line.synthesis}: 0 events in {persons} persons; {bound}"


def _counted(study: Study | None, result: Result | None, arms: Sequence[str]) -> tuple[int | None, int]:
    """Return events and persons of a result, in some arms or in all; None where they were not counted."""
    values = [part for arm, part in result.values.items() if not arms or arm in arms] if result else []
    known = [(part.events, part.n) for part in values if part.events is not None and part.n is not None]
    if not known or len(known) < len(values):
        return None, 0
    together = max if study and study.design in WITHIN else sum
    return sum(events for events, _ in known), together(n for _, n in known)


def _effect(claim: Claim, strength: EvidenceStrength, lines: Lines, ledger: Ledger) -> Ruling:
    """Return the verdict on a claim of an effect."""
    if strength not in _ALLOWED:
        return "insufficient", [_UNCERTAIN]
    directions = {line.direction for line in lines}
    if strength in ("high", "moderate") and "supports" not in directions:
        return "contradicted", ["it shows little or no effect, or the opposite"]
    if "supports" not in directions:
        opposite = "points the other way" if "contradicts" in directions else "shows little or no effect"
        return "overstated", [f"as far as it goes it {opposite}"]
    claimed = max((_LARGE[item.size] for item in claim.appearances if item.size in _LARGE), default=0)
    allowed, borne = _size_seen(lines, ledger)
    verdict, said = _worded(claim, strength)
    if claimed <= allowed:
        return verdict, [said]
    called = f"called {_word(_LARGE, claimed)}, where {_word(_LARGE, allowed)} is borne out: {borne}"
    return "overstated", [called, said] if verdict == "overstated" else [called]


def _size_seen(lines: Lines, ledger: Ledger) -> tuple[int, str]:
    """Return the largest size that the deciding lines bear out, and that in words."""
    borne = [line for line in lines if line.direction == "supports"]
    if not borne:
        return _LARGE["none"], "no line supports it"
    named = [ledger.syntheses.get(line.synthesis or "") for line in borne]
    found: list[Seen] = [case(ledger, synthesis).seen for synthesis in named if synthesis]
    sizes = [_LARGE[size] for seen in found if (size := seen.size()) in _LARGE]
    if not sizes:
        return _LARGE["some"], "no size was computed"
    return max(sizes), "that is the size in the data"


def _worded(claim: Claim, strength: EvidenceStrength) -> tuple[VerdictWord, str]:
    """Return the verdict by how certain the claim is worded."""
    wordings = [item.wording for item in claim.appearances if item.wording]
    if beyond := [word for word in wordings if _CERTAIN[word] > _ALLOWED[strength]]:
        return "overstated", f"worded as {beyond[0]}, where {_word(_CERTAIN, _ALLOWED[strength])} is allowed"
    return "supported", "worded no more strongly than that allows"


def _word(ranks: Mapping[Any, int], rank: int) -> str:
    return str(next(word for word, value in ranks.items() if value == rank))


def lines_point_as_their_data(claim: Claim, ledger: Ledger) -> Iterator[Found]:
    """A direct line on a synthesis of the same outcome points where its data point, as far as they do."""
    if claim.asserts not in ("increase", "decrease") or claim.pico is None:
        return
    for at, line in enumerate(claim.evidence):
        synthesis = ledger.syntheses.get(line.synthesis or "")
        if synthesis is None or line.directness != "direct" or synthesis.pico.outcome != claim.pico.outcome:
            continue
        found, said = case(ledger, synthesis).seen.points()
        agrees = found == claim.asserts
        if found and line.direction == ("contradicts" if agrees else "supports"):
            message = f"`{line.direction}` a claim of {claim.asserts}, where {said}"
            hint = "mend the direction, or judge whether the question is the same"
            yield Found("W605", ("evidence", at, "direction"), message, hint)


def verdict_follows_the_rule(claim: Claim, ledger: Ledger) -> Iterator[Found]:
    """A recorded verdict may be stricter than the rule, and says why; it is never milder."""
    if claim.verdict is None or _lost(claim, ledger):
        return  # what is missing is named by another check
    conclusion = conclude(ledger, claim)
    recorded, by_rule = claim.verdict.judgement, conclusion.verdict
    if by_rule is None or recorded == by_rule:
        return
    if recorded in _STRICT and by_rule in _STRICT and _STRICT.index(recorded) > _STRICT.index(by_rule):
        return
    message = f"`{recorded}`, where the rule gives `{by_rule}`: {'; '.join(conclusion.reasons)}"
    hint = "change the verdict, or the lines it rests on"
    yield Found("E421", ("verdict", "judgement"), message, hint)


_RULES: Mapping[str, Callable[[Claim, EvidenceStrength, Lines, Ledger], Ruling]] = MappingProxyType(
    {"fact": _fact, "frequency": _within, "no-difference": _within}  # every other claim is one of an effect
)
