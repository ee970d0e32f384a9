"""What may be said of an outcome: the words of GRADE for its certainty and size, and plain ones."""

from collections.abc import Mapping
from types import MappingProxyType

from mesoevidence.bodies import Question, inside
from mesoevidence.targets import Seen, limits_said
from mesoevidence.vocabulary import EvidenceStrength

# GRADE guidelines 26 (Santesso 2020, J Clin Epidemiol 119:126), read in table 16 of the ACIP GRADE
# Handbook; the words for low and very low in table 5 of doi:10.1186/s13643-023-02199-0.
_HEDGE: Mapping[str, str] = MappingProxyType({"high": "", "moderate": "probably ", "low": "may "})
_TOO_UNCERTAIN = "the evidence is too uncertain"
_UNGRADED = "The certainty of this evidence was not graded."
_UNJUDGED = "The certainty of this evidence was not judged yet."


def statements(level: EvidenceStrength | None, question: Question, seen: Seen) -> tuple[str, str]:
    """Return what may be said of an outcome, in the words of GRADE and in plain ones.

    Parameters
    ----------
    level : str or None
        The recorded certainty.
    question : Question
        Outcome, intervention and comparator in words.
    seen : Seen
        The effect, for its direction and size.

    Returns
    -------
    str, str
        The first as GRADE guidelines 26 words it, the second for everybody.
    """
    if level is None or level == "not-graded":
        return (_UNJUDGED,) * 2 if level is None else (_UNGRADED,) * 2
    what, outcome = inside(question.intervention), inside(question.outcome)
    compared = question.comparator not in ("", "none")
    than = f" compared with {inside(question.comparator)}" if compared else ""
    if level == "very-low":
        about = f"the effect of {what} on {outcome}{than}" if compared else f"{outcome} with {what}"
        known = about if compared else f"what to expect of {about}"
        return f"The evidence is very uncertain about {about}.", f"We do not know {known}: {_TOO_UNCERTAIN}."
    if seen.shown and seen.measure in ("PLO", "PR"):
        low, high = (f"{100 * end:.1f}" for end in seen.shown[1:])
        share, occurs = f"{100 * seen.shown.estimate:.1f} %", "occur" if level == "low" else "occurs"
        often = f"With {what}, {outcome} {_HEDGE[level]}{occurs} in {share}"
        return f"{often} (95 % CI {low} to {high} %).", f"{often} of persons.{_PLAIN[level]}"
    if seen.against() is None and seen.direction is None:
        told = f"Whether {what} increases or decreases {outcome}{than} cannot be told from what was recorded."
        return told, told
    verb, noun = _verbs(level, seen)
    said = f"{what[:1].upper()}{what[1:]} {verb} {noun.format(outcome=outcome)}{than}"
    numbers = f" ({limits_said(seen.shown, seen.measure)})" if seen.shown and seen.measure else ""
    return f"{said}{numbers}.", f"{said}.{_PLAIN[level]}{_of_hundred(seen)}"


_PLAIN = {
    "high": "",
    "moderate": " Further research could change this.",
    "low": " Further research may well change this.",
}


def _verbs(level: str, seen: Seen) -> tuple[str, str]:
    """Return the verb with its hedge, and the outcome in the size that was seen."""
    ending = "" if level == "low" else "s"
    size, effect, way = seen.size(), seen.against(), seen.direction
    if effect and seen.threshold:
        middle = (seen.threshold.low + seen.threshold.high) / 2
        way = "increase" if effect.estimate > middle else "decrease"
    if size in ("none", "small") or way not in ("increase", "decrease"):
        return f"{_HEDGE[level]}result{ending} in", "little to no difference in {outcome}"
    if size == "large":
        return f"{_HEDGE[level]}result{ending} in", f"a large {way} in {{outcome}}"
    return f"{_HEDGE[level]}{way}{ending}", "{outcome}"


def _of_hundred(seen: Seen) -> str:
    """Return the absolute effect in a hundred persons, where a baseline risk was recorded."""
    if seen.absolute is None or seen.baseline is None:
        return ""
    before, after = 100 * seen.baseline, 100 * min(max(seen.baseline + seen.absolute.estimate, 0.0), 1.0)
    return f" In 100 persons: {before:.0f} without it, {after:.0f} with it."
