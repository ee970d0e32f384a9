"""What the data suggest for each domain of certainty, with the numbers each suggestion rests on."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from mesoevidence import appraisal, bodies, cards, targets
from mesoevidence.formulas import MEASURES
from mesoevidence.ledger import Ledger
from mesoevidence.model import Synthesis
from mesoevidence.targets import Case, Limits
from mesoevidence.vocabulary import DESIGNS, CertaintyLevel, words

LEVELS: tuple[CertaintyLevel, ...] = words(CertaintyLevel)  # type: ignore[assignment]  # best first
# "Most" of the weight and "far" below the information size: Core GRADE 4 and GRADE 34 give words, no numbers.
_MOST, _FAR = 0.5, 0.5
_SERIOUS = 2  # steps for a serious risk of bias after a start at high: Schünemann 2019, PMC6692166
_VERY_LARGE = 5.0  # Schünemann 2019, PMC6692166, table 1


class Suggestion(NamedTuple):
    """Steps the data suggest, None where they tell nothing, and the numbers it rests on, in words."""

    steps: int | None
    because: tuple[str, ...]


# The five domains that lower, and the three that raise ------------------------------------------


def start(ledger: Ledger, synthesis: Synthesis) -> tuple[CertaintyLevel | None, tuple[str, ...]]:
    """Return where the lowest design of a body starts (Core GRADE 4, doi:10.1136/bmj-2024-083864).

    Randomised trials start high, other studies of an intervention low; where every one of these was appraised
    with ROBINS-I the body starts high, and a serious risk of bias takes two levels (Schünemann 2019,
    PMC6692166): where the record does not take them, it starts low.
    """
    found = [(study, line) for line in synthesis.include if (study := ledger.studies.get(line.study))]
    designs = Counter(study.design for study, _ in found)
    starts = [DESIGNS[design].start for design in designs]
    said = f"designs: {', '.join(f'{DESIGNS[name].label} ({designs[name]})' for name in sorted(designs))}"
    if not starts or None in starts:
        return None, (said,)
    loose = [(study, line) for study, line in found if DESIGNS[study.design].start != "high"]
    robs = [appraisal.appraised(study, line.result) for study, line in loose]
    assessed = [rob for rob in robs if rob and appraisal.risk(rob) != "not-assessed"]
    if robs and len(assessed) == len(robs) and all(rob.tool.startswith("robins-i") for rob in assessed):
        taken = synthesis.certainty.risk_of_bias if synthesis.certainty else None
        if all(appraisal.risk(rob) != "high" for rob in assessed) or (taken and taken.down >= _SERIOUS):
            return "high", (said, "each non-randomised study was appraised with ROBINS-I")
        said += "; ROBINS-I finds a serious risk of bias, for which a start at high would take two steps"
    return max((level for level in starts if level), key=LEVELS.index), (said,)


def risk_of_bias(case: Case) -> Suggestion:
    """Weigh the studies at high risk, and ask whether they change the answer (Core GRADE 4).

    No step where most of the weight is at low risk and the answer stays without the studies at high risk;
    two where most is at high risk, and none is at low risk or the answer changes; else one. The answer
    changes when estimate or interval come to end on another side of the threshold. "Most" is more than half:
    Core GRADE gives words, no number. Nothing is suggested before a study is appraised.
    """
    risks = [
        appraisal.risk(appraisal.appraised(study, line.result)) if study else "not-judged"
        for study, line in zip(case.studies, case.lines, strict=True)
    ]
    share = {level: math.fsum(case.weights[[risk == level for risk in risks]]) for level in set(risks)}
    of = "of the weight" if case.pooled else "of the studies"
    said = [f"{100 * share[level]:.0f} % {of} {_RISKS[level]}" for level in _RISKS if level in share]
    if set(risks) <= {"not-judged"}:
        return Suggestion(None, (*said, "nothing can be suggested before a study is appraised"))
    changes, told = _changes(case, [risk != "high" for risk in risks])
    low, high = share.get("low", 0.0), share.get("high", 0.0)
    if low > _MOST and not changes:
        return Suggestion(0, (*said, *told))
    return Suggestion(2 if high > _MOST and (not low or changes) else 1, (*said, *told))


_RISKS = {
    "low": "at low risk of bias",
    "some": "with some concerns",
    "high": "at high risk of bias",
    "not-assessed": "not to be assessed from what was read, and so not low",
    "not-judged": "without an appraisal, and so not low",
}


def _changes(case: Case, keep: Sequence[bool]) -> tuple[bool, tuple[str, ...]]:
    """Return whether the estimate without some studies lies on another side, or includes what it excluded.

    And that in words, unless it cannot be told.
    """
    if case.body is None or case.pooled is None or all(keep) or not any(keep):
        return False, ()
    rest = bodies.estimate(case.body, np.array(keep))
    if rest is None or case.side(rest.estimate) is None:
        return False, ()
    every, some = ((found.estimate, *found.ci) for found in (case.pooled, rest))
    differs = list(map(case.side, every)) != list(map(case.side, some))
    shown = targets.limits_said(Limits(*map(case.body.spec.shown, some)), case.body.spec.name)
    how = "changes" if differs else "does not change"
    return differs, (f"leaving them out {how} the answer: {shown}",)


def inconsistency(case: Case) -> Suggestion:
    """Compare estimates by side of the threshold, then by overlap (Core GRADE 3, BMJ 2025;389:e081905).

    No step where all intervals overlap or all estimates lie on one side; two where whole intervals lie
    beyond the threshold on either side; else one. Where nothing was pooled, one where studies point in
    opposite directions.
    """
    if case.seen.k < 2:
        return Suggestion(0, ("one study, so nothing can differ",))
    if case.body is None or case.pooled is None:
        found = Counter(str(item) for item in targets.directions(case.ledger, case.synthesis))
        if "None" in found:
            return Suggestion(None, ("the direction of a study was not recorded",))
        opposite = {"increase", "decrease"} <= set(found)
        return Suggestion(int(opposite), (f"directions: {_counted(found).replace('-', ' ')}",))
    there, back = np.isfinite(case.body.yi) & (case.weights > 0), case.body.spec.shown
    yi, half = case.body.yi[there], -float(special.ndtri(0.025)) * np.sqrt(case.body.vi[there])
    said = [f"estimates {cards.number(back(yi.min()))} to {cards.number(back(yi.max()))}"]
    overlap = bool((yi - half).max() <= (yi + half).min())
    said.append("all intervals overlap" if overlap else "not all intervals overlap")
    if math.isfinite(case.pooled.numbers["i2"]):
        said.append(f"I2 {case.pooled.numbers['i2']:.0f} %")
    sides = Counter(case.side(value) for value in yi.tolist())
    if None in sides or case.seen.threshold is None:
        return Suggestion(0 if overlap else 1, tuple(said))
    said.append(f"of {case.seen.threshold.said}: {_counted(sides)}")
    if len(sides) == 1 or overlap:
        return Suggestion(0, tuple(said))
    beyond = (case.side(float((yi + half).min())), case.side(float((yi - half).max())))
    return Suggestion(2 if beyond == ("below", "above") else 1, tuple(said))


def indirectness(case: Case) -> Suggestion:
    """Compare populations and arms of the studies with the question.

    One step where studies of another population, or with other arms, make up more than half of the weight.
    Surrogate outcomes are left to the reader.
    """
    pico, said = case.synthesis.pico, []
    off = np.zeros(len(case.lines), dtype=bool)
    for at, (study, line) in enumerate(zip(case.studies, case.lines, strict=True)):
        if study is None:
            continue
        sides = {
            side: {study.arms[arm].intervention for arm in getattr(line, side) if arm in study.arms}
            for side in ("intervention", "comparator")
        }
        had = {**sides, "population": set(study.population or ())}
        gaps = [name for name, seen in had.items() if seen and not seen <= set(getattr(pico, name) or ())]
        if gaps:
            off[at] = True
            said.append(f"{bodies.label_of(case.ledger, study.id)} has another {' and '.join(gaps)}")
    said = said or ["populations and arms are those of the question"]
    unseen = "a surrogate outcome cannot be told from the records"
    return Suggestion(int(math.fsum(case.weights[off]) > _MOST), (*said, unseen))


def imprecision(case: Case) -> Suggestion:
    """Hold the interval against the threshold, then the persons against the optimal information size.

    Core GRADE 2 (doi:10.1136/bmj-2024-081904) and GRADE guidance 34 (doi:10.1016/j.jclinepi.2022.07.014): one
    step where the interval crosses the threshold that bounds the target, two where it crosses both; where it
    crosses none and the effect is large, the information size decides: one step for fewer persons, counted as
    in two equal arms, two for fewer than half of them.
    """
    seen = case.seen
    effect, threshold = seen.against(), seen.threshold
    people = "persons not known" if seen.persons is None else f"{seen.persons} persons"
    if effect is None or threshold is None:
        why = "no interval was computed" if seen.computed is None else "the threshold cannot be placed"
        return Suggestion(None, (why, people))
    side = targets.side_of(effect.estimate, threshold)
    beyond = "an effect" if threshold.low == threshold.high else "an effect that matters"
    target = "little or no effect" if side == "inside" else beyond
    unit = seen.measure if threshold.of != "absolute" else "RD"
    back = MEASURES[str(unit)].shown if threshold.of == "computing" else float
    ends = f"interval {cards.number(back(effect.low))} to {cards.number(back(effect.high))}"
    said = [f"target: {target}, against {threshold.said}", ends]
    bounds = {threshold.low, threshold.high}
    crossed = sum(effect.low < bound < effect.high for bound in bounds)
    if crossed:
        how = "the threshold" if len(bounds) == 1 else f"{crossed} of the 2 bounds"
        return Suggestion(crossed, (*said, f"it crosses {how}", people))
    size, inputs = targets.information_size(case)
    said.append("it does not cross")
    worth = targets.effective_persons(case)
    if size is None or worth is None:
        return Suggestion(0, (*said, people, inputs))
    equal = "" if round(worth) == seen.persons else f", worth {worth:.0f} in two equal arms,"
    said.append(f"{people}{equal} of an optimal information size of {size} ({inputs})")
    if seen.size() != "large" and not _large_difference(case):
        return Suggestion(0, tuple(said))
    steps = 0 if worth >= size else 2 if worth < _FAR * size else 1
    return Suggestion(steps, (*said, "the effect is large, so the information size counts"))


def _large_difference(case: Case) -> bool:
    """Return whether a mean difference is large for the spread of its studies."""
    arms = case.body.arms if case.body else {}
    if case.seen.measure != "MD" or case.seen.computed is None or "sd1i" not in arms:
        return False
    spread = np.nanmean([arms["sd1i"], arms["sd2i"]]) if np.isfinite(arms["sd1i"]).any() else math.nan
    return bool(abs(case.seen.computed.estimate) >= targets.LARGE_SMD * spread)


def publication_bias(case: Case) -> Suggestion:
    """Suspect a body of small studies paid by industry (Core GRADE 4); no asymmetry test is made here.

    One step where industry paid for more than half of them and the largest has less than half of the optimal
    information size. Nothing is suggested where the funding of half of them or more is not known.
    """
    paid = Counter((study.funding or "not-reported") for study in case.studies if study)
    said = [f"{case.seen.k} {'study' if case.seen.k == 1 else 'studies'}", f"funding: {_counted(paid)}"]
    known = sum(count for word, count in paid.items() if word != "not-reported")
    total = sum(paid.values())
    size, _ = targets.information_size(case)
    sizes = [bodies.analysed(line, case.ledger) for line in case.lines]
    if known <= _MOST * total or size is None or None in sizes:
        return Suggestion(None, (*said, "too little is known to suspect it or not"))
    largest = max(count for count in sizes if count is not None)
    said.append(f"the largest has {largest} persons")
    industry = paid["industry"] + paid["mixed"] > _MOST * total
    return Suggestion(int(industry and largest < _FAR * size), tuple(said))


def large_effect(case: Case) -> Suggestion:
    """Raise non-randomised evidence for a risk ratio beyond 2 or 5 (Schünemann 2019, PMC6692166).

    One step beyond 2 or below 1/2, if two studies or more find it (ACIP GRADE Handbook, table 14,
    cdc.gov/acip-grade-handbook); two beyond 5 or below 1/5. An odds ratio needs a baseline risk.
    """
    if any(study and DESIGNS[study.design].start == "high" for study in case.studies):
        return Suggestion(0, ("randomised trials are not rated up",))
    if case.seen.measure not in ("RR", "OR") or case.seen.shown is None:
        return Suggestion(None, ("no risk ratio",))
    ratio = case.seen.shown.estimate
    if case.seen.measure == "OR":
        if not case.seen.baseline:
            return Suggestion(None, ("an odds ratio without a baseline risk",))
        ratio = targets.risk_from_odds(ratio, case.seen.baseline) / case.seen.baseline
    away = max(ratio, 1 / ratio) if ratio > 0 else math.inf
    alone = case.seen.k < 2
    steps = 2 if away > _VERY_LARGE else 1 if away > targets.LARGE and not alone else 0
    studies = "of one study, and a large one needs two that agree" if alone else f"of {case.seen.k} studies"
    return Suggestion(steps, (f"risk ratio {cards.number(ratio)}", studies))


def unseen(case: Case) -> Suggestion:
    """Leave to the reader what the records do not tell."""
    return Suggestion(None, ("the records do not tell; it is the reader's judgement",))


def _counted(found: Mapping[Any, int]) -> str:
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} {word}" for word, count in ordered)


DOWN: Mapping[str, Callable[[Case], Suggestion]] = MappingProxyType(
    {
        "risk_of_bias": risk_of_bias,
        "inconsistency": inconsistency,
        "indirectness": indirectness,
        "imprecision": imprecision,
        "publication_bias": publication_bias,
    }
)
UP: Mapping[str, Callable[[Case], Suggestion]] = MappingProxyType(
    {"large_effect": large_effect, "dose_response": unseen, "opposing_confounding": unseen}
)
