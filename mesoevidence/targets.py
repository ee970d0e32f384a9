"""The effect of a synthesis as its data give it: pooled, held against its threshold, with its persons."""

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from mesoevidence import bodies, cards
from mesoevidence.bodies import Body, Estimate
from mesoevidence.conversions import Floats
from mesoevidence.formulas import MEASURES
from mesoevidence.ledger import Ledger
from mesoevidence.model import Include, Outcome, Range, Result, Study, Synthesis
from mesoevidence.problems import EvidenceError

LARGE = 2.0  # a risk ratio beyond it, or below its inverse: Schünemann 2019, PMC6692166, table 1
LARGE_SMD = 0.8  # Cohen 1988, as the Cochrane Handbook 5.1 has it in 12.6.2
# What the optimal information size rests on (J Clin Epidemiol 2011;64:1283).
_SMALL_SMD, _REDUCTION = 0.2, 0.25
Side = Literal["below", "inside", "above"]


class Limits(NamedTuple):
    """An estimate with its interval."""

    estimate: float
    low: float
    high: float


class Threshold(NamedTuple):
    """Where an effect begins to count, on the scale of `of`; the same number twice is no effect itself."""

    low: float
    high: float
    of: Literal["computing", "reading", "absolute"]
    said: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The effect of a synthesis as its data give it.

    Attributes
    ----------
    measure : str or None
        None for a synthesis that was not pooled.
    computed, shown : Limits or None
        Estimate and interval on the scale of computing and on that of reading.
    baseline : float or None
        The recorded risk without the intervention.
    absolute : Limits or None
        The difference in risk that follows from it.
    k, persons : int
        Studies, and persons each once; None where a number is not known.
    threshold : Threshold or None
        Where the effect begins to count; None where it cannot be told from the record.
    direction : {"increase", "decrease", "no-difference"} or None
        Of the studies, where nothing was pooled and all agree: as recorded, else as their intervals show.
    """

    measure: str | None
    computed: Limits | None
    shown: Limits | None
    baseline: float | None
    absolute: Limits | None
    k: int
    persons: int | None
    threshold: Threshold | None
    direction: str | None

    def against(self) -> Limits | None:
        """Return the effect on the scale of the threshold."""
        if self.threshold is None:
            return None
        scales = {"computing": self.computed, "reading": self.shown, "absolute": self.absolute}
        return scales[self.threshold.of]

    def side(self) -> Side | None:
        """Return where the estimate lies: beyond the threshold on one side, or inside it."""
        effect = self.against()
        return None if effect is None or self.threshold is None else side_of(effect.estimate, self.threshold)

    def points(self) -> tuple[str | None, str]:
        """Return which way it points, where its interval leaves out no effect or all studies agree."""
        if self.computed and self.shown and self.measure and MEASURES[self.measure].null is not None:
            where = "increase" if self.computed.low > 0 else "decrease" if self.computed.high < 0 else None
            return where, limits_said(self.shown, self.measure)
        where = self.direction if self.direction in ("increase", "decrease") else None
        return where, f"every study shows a {where}"

    def size(self) -> str | None:
        """Return the size of the effect in a word: "large", "some", "small" or "none"; None if not known.

        A ratio from 2, or down to 1/2, is large (PMC6692166), and so is a standardised difference
        from 0.8 (Cohen 1988). What lies inside the threshold is small; no other size can be told without one.
        """
        side = self.side()
        if self.computed is None or self.measure is None or side is None or self.threshold is None:
            return None
        if side == "inside":
            return "none" if self.threshold.low == self.threshold.high else "small"
        measure = MEASURES[self.measure]
        large = math.log(LARGE) if measure.is_ratio else LARGE_SMD if self.measure == "SMD" else math.inf
        return "large" if abs(self.computed.estimate) >= large else "some"


class Case(NamedTuple):
    """Everything the suggestions of one synthesis look at."""

    ledger: Ledger
    synthesis: Synthesis
    body: Body | None
    pooled: Estimate | None
    lines: tuple[Include, ...]
    studies: tuple[Study | None, ...]
    weights: Floats
    seen: Seen

    def side(self, effect: float) -> Side | None:
        """Return where an effect on the scale of computing lies; None where that cannot be told."""
        threshold = self.seen.threshold
        if threshold is None or threshold.of == "absolute" or self.body is None:
            return None
        return side_of(self.body.spec.shown(effect) if threshold.of == "reading" else effect, threshold)


def case(ledger: Ledger, synthesis: Synthesis) -> Case:
    """Return what is known of a synthesis: its body pooled as its record says, its studies, its effect."""
    body = pooled = None
    with suppress(EvidenceError):  # narrative, or a result is missing, which another check names
        body = bodies.body(ledger, synthesis.id)
        pooled = bodies.estimate(body)
    lines = synthesis.include
    weights = pooled.weights / 100 if pooled else np.full(len(lines), 1 / max(len(lines), 1))
    studies = tuple(ledger.studies.get(line.study) for line in lines)
    seen = _seen(ledger, synthesis, body, pooled)
    return Case(ledger, synthesis, body, pooled, lines, studies, weights, seen)


def _seen(ledger: Ledger, synthesis: Synthesis, body: Body | None, pooled: Estimate | None) -> Seen:
    """Return the effect of a synthesis."""
    computed = Limits(pooled.estimate, *pooled.ci) if pooled else None
    measure = body.spec.name if body and pooled else None
    shown = Limits(*(MEASURES[measure].shown(end) for end in computed)) if measure and computed else None
    baseline = float(synthesis.baseline.risk) if synthesis.baseline else None
    absolute = absolute_of(measure, shown, baseline)
    threshold = _threshold(synthesis, measure, ledger.outcomes.get(synthesis.pico.outcome or ""))
    k, persons = len({line.study for line in synthesis.include}), bodies.participants(synthesis, ledger)
    found = set(directions(ledger, synthesis))
    agreed = found.pop() if len(found) == 1 and not found & {None, "mixed"} else None
    return Seen(measure, computed, shown, baseline, absolute, k, persons, threshold, agreed)


def absolute_of(measure: str | None, shown: Limits | None, baseline: float | None) -> Limits | None:
    """Return the difference in risk that a ratio makes at a baseline risk (Cochrane Handbook 15.4)."""
    if shown is None or measure == "RD":
        return shown
    if baseline is None or measure not in ("RR", "OR"):
        return None
    ends = (end * baseline if measure == "RR" else risk_from_odds(end, baseline) for end in shown)
    return Limits(*(risk - baseline for risk in ends))


def risk_from_odds(ratio: float, baseline: float) -> float:
    """Return the risk with the intervention that an odds ratio gives (Cochrane Handbook 15.4.4.4)."""
    return ratio * baseline / (1 - baseline + ratio * baseline)


def _threshold(synthesis: Synthesis, measure: str | None, outcome: Outcome | None) -> Threshold | None:
    """Return where an effect begins to count, as the record says."""
    stated = (synthesis.certainty.threshold if synthesis.certainty else None) or "no-effect"
    if isinstance(stated, Range):
        low, high = map(float, stated.range)
        return Threshold(low, high, "reading", f"{low:g} to {high:g}")
    if measure is None:
        return None
    if stated == "mid":
        counted = outcome is not None and outcome.type == "dichotomous"
        if outcome is None or outcome.mid is None or not (counted or measure == "MD"):
            return None  # a MID stands in the outcome's own unit, and a standardised difference does not
        mid = float(outcome.mid.value)
        scale: Literal["reading", "absolute"] = "absolute" if counted else "reading"
        return Threshold(-mid, mid, scale, f"the MID of {mid:g}")
    return None if MEASURES[measure].null is None else Threshold(0.0, 0.0, "computing", "no effect")


def directions(ledger: Ledger, synthesis: Synthesis) -> list[str | None]:
    """Return the direction of each included result: as recorded, else where its printed interval lies."""
    results = [bodies.result_of(line, ledger) for line in synthesis.include]
    return [_directed(result) if result else None for result in results]


def _directed(result: Result) -> str | None:
    effect = result.effect
    if result.direction or effect is None or effect.ci is None or MEASURES[effect.measure].null is None:
        return result.direction
    null = 1 if MEASURES[effect.measure].is_ratio else 0
    return "increase" if effect.ci[0] > null else "decrease" if effect.ci[1] < null else None


def side_of(value: float, threshold: Threshold) -> Side:
    """Return on which side of a threshold a value lies.

    >>> side_of(0.3, Threshold(0.0, 0.0, "computing", "no effect"))
    'above'
    """
    if threshold.low <= value <= threshold.high:
        return "inside"
    return "below" if value < threshold.low else "above"


def information_size(case: Case) -> tuple[int | None, str]:
    """Return the persons one adequate trial would need, and what that rests on."""
    outcome = case.ledger.outcomes.get(case.synthesis.pico.outcome or "")
    if outcome is None or MEASURES[case.seen.measure or "GEN"].null is None:
        return None, "no information size for this measure"
    if outcome.type == "continuous":
        return 2 * math.ceil(per_arm_means(_SMALL_SMD)), f"a standardised difference of {_SMALL_SMD:g}"
    if outcome.type != "dichotomous":
        return None, f"no information size for an outcome of type {outcome.type}"
    baseline = case.seen.baseline
    if baseline is None and case.body and "ci" in case.body.arms:
        events, people = case.body.arms["ci"], case.body.arms["n2i"]
        there = np.isfinite(events) & np.isfinite(people)
        baseline = float(events[there].sum() / people[there].sum()) if people[there].sum() else None
    if not baseline or baseline >= 1:
        return None, "no control risk to compute an information size from"
    size = 2 * math.ceil(per_arm_risks(baseline, baseline * (1 - _REDUCTION)))
    return size, f"control risk {cards.number(100 * baseline)} %, relative reduction {100 * _REDUCTION:.0f} %"


def effective_persons(case: Case) -> float | None:
    """Return how many persons in two equal arms would tell as much: 4 n1 n2 / (n1 + n2) a study.

    Persons who stand in both arms count once, and so do those of a study whose sizes of arms are not known; a
    study that gave no effect tells nothing. None where the persons of a study are not known.
    """
    arms = case.body.arms if case.body else {}
    found = 0.0
    for at, (line, study) in enumerate(zip(case.lines, case.studies, strict=True)):
        if case.weights[at] <= 0:
            continue
        first, second = (float(arms[name][at]) if name in arms else math.nan for name in ("n1i", "n2i"))
        persons = bodies.analysed(line, case.ledger)
        if persons is None or study is None:
            return None
        both = study.design in bodies.WITHIN or not first + second > 0
        found += persons if both else 4 * first * second / (first + second)
    return found


def per_arm_means(difference: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return persons per arm to see a standardised difference: 2 (z1 + z2)^2 / d^2 (GRADE guidelines 6).

    >>> round(per_arm_means(0.2), 1)
    392.4
    """
    z = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    return 2 * (z / difference) ** 2


def per_arm_risks(control: float, treated: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return persons per arm to tell two risks apart, with the pooled variance under no effect.

    >>> round(per_arm_risks(0.2, 0.15))
    905
    """
    mean = (control + treated) / 2
    null = float(special.ndtri(1 - alpha / 2)) * math.sqrt(2 * mean * (1 - mean))
    other = float(special.ndtri(power)) * math.sqrt(control * (1 - control) + treated * (1 - treated))
    return ((null + other) / (control - treated)) ** 2


def limits_said(limits: Limits, measure: str) -> str:
    """Return an estimate with its interval in words."""
    estimate, low, high = map(cards.number, limits)
    return f"{measure} {estimate} (95 % CI {low} to {high})"
