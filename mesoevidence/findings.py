"""What a synthesis found of one outcome: its effect in absolute numbers, its persons, its certainty."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mesoevidence import bodies, console, targets
from mesoevidence.bodies import Body, inside
from mesoevidence.certainty import Certainty, rate
from mesoevidence.ledger import Ledger
from mesoevidence.model import Include, Synthesis
from mesoevidence.problems import EvidenceError
from mesoevidence.targets import Limits
from mesoevidence.vocabulary import DESIGNS, Importance


class Comparison(NamedTuple):
    """Who was given what, compared with what, in words; an empty comparator where nothing is compared."""

    population: str
    intervention: str
    comparator: str

    @property
    def sides(self) -> tuple[str, str]:
        """Intervention and comparator, whoever was given them."""
        return self.intervention, self.comparator


class Anticipated(NamedTuple):
    """Risks that follow from an effect.

    Attributes
    ----------
    without : float or None
        The risk with the comparison, and `source` where it is from.
    treated : Limits
        The risk with the intervention, never below 0 or above 1.
    difference : Limits or None
        Between the two; None where nothing is compared.
    beyond : tuple of float
        What the arithmetic gave beyond a certainty, and was shown as 0 or 1.
    """

    without: float | None
    treated: Limits
    difference: Limits | None
    source: str
    beyond: tuple[float, ...] = ()


class Arm(NamedTuple):
    """The persons of one side over all studies, and those with the event; None where not known."""

    persons: int | None
    events: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One outcome of one comparison.

    Attributes
    ----------
    certainty : Certainty
        With the effect seen, the question in words, and what may be said.
    comparison : Comparison
        Population, intervention and comparator in words.
    topic : str
        The label of the outcome's topic.
    follow_up : str or None
        When the outcome was measured, over all studies.
    importance : {"critical", "important", "limited"} or None
        Of the outcome.
    anticipated : Anticipated or None
        Absolute risks, where the outcome is a yes or no.
    comparator_means : (float, float) or None
        The lowest and the highest mean with the comparison, where the outcome is a mean.
    treated, compared : Arm
        The persons of each side.
    designs : dict of str to int
        Studies by design.
    not_pooled : str or None
        Why there is no pooled effect, and which way the studies point.
    """

    certainty: Certainty
    comparison: Comparison
    topic: str
    follow_up: str | None
    importance: Importance | None
    anticipated: Anticipated | None
    comparator_means: tuple[float, float] | None
    treated: Arm
    compared: Arm
    designs: dict[str, int]
    not_pooled: str | None


def anticipated(measure: str, shown: Limits, baseline: float | None, source: str) -> Anticipated | None:
    """Return the risks that follow from an effect and a risk without it (Cochrane Handbook 15.4).

    Parameters
    ----------
    measure : str
        RR, OR or RD; PR and PLO are risks of their own.
    shown : Limits
        The effect on the scale of reading.
    baseline : float or None
        The risk with the comparison.
    source : str
        Where it is from.

    Returns
    -------
    Anticipated or None
        None without a baseline, and for a measure that gives no risk.

    Examples
    --------
    The first row of the summary of findings in doi:10.1155/2020/4140692, 154 per 1000 and RR 1.23:

    >>> risks = anticipated("RR", Limits(1.23, 0.65, 2.35), 0.154, "the paper")
    >>> round(1000 * risks.treated.estimate), round(1000 * risks.difference.estimate)
    (189, 35)
    """
    if measure in ("PR", "PLO"):
        return Anticipated(None, shown, None, source)
    difference = targets.absolute_of(measure, shown, baseline)
    if baseline is None or difference is None:
        return None
    risks = Limits(*(baseline + end for end in difference))
    treated = Limits(*(min(max(risk, 0.0), 1.0) for risk in risks))
    beyond = tuple(risk for risk, kept in zip(risks, treated, strict=True) if risk != kept)
    return Anticipated(baseline, treated, Limits(*(end - baseline for end in treated)), source, beyond)


def finding(ledger: Ledger, synthesis: str) -> Finding:
    """Return what one synthesis found."""
    record = bodies.synthesis_of(ledger, synthesis)
    certainty = rate(ledger, synthesis)
    body = _body(ledger, record)
    outcome = ledger.outcomes.get(record.pico.outcome or "")
    studies = {
        line.study: ledger.studies[line.study] for line in record.include if line.study in ledger.studies
    }
    topic = ledger.topics.get(ledger.topic_of.get(record.pico.outcome or "", ""))
    named = sorted(slug for slug in record.pico.population or () if slug in ledger.populations)
    labels = [ledger.populations[slug].label for slug in named]
    population = "; ".join(label if at == 0 else inside(label) for at, label in enumerate(labels))
    treated, compared = certainty.question.intervention, certainty.question.comparator
    return Finding(
        certainty, Comparison(population, treated, "" if compared == "none" else compared),
        topic.label if topic else "", _follow_up(ledger, record), outcome.importance if outcome else None,
        _risks(ledger, record, certainty, body), _means(body),
        _arm(ledger, record, body, "intervention"), _arm(ledger, record, body, "comparator"),
        dict(Counter(DESIGNS[study.design].label for study in studies.values())),
        None if certainty.seen.shown else _not_pooled(ledger, record),
    )  # fmt: skip


def _body(ledger: Ledger, record: Synthesis) -> Body | None:
    try:
        return bodies.body(ledger, record.id) if record.analysis else None
    except EvidenceError:  # a check names it; the row says that nothing was pooled
        return None


def _follow_up(ledger: Ledger, record: Synthesis) -> str | None:
    """Return the times of the included results; that of the study where a result has none."""
    found = []
    for line in record.include:
        study = ledger.studies.get(line.study)
        times = [result.time for result in study.results if result.id == line.result] if study else []
        found += [time for time in times or () if time] or (
            [study.follow_up] if study and study.follow_up else []
        )
    return "; ".join(dict.fromkeys(found)) or None


def _risks(ledger: Ledger, record: Synthesis, certainty: Certainty, body: Body | None) -> Anticipated | None:
    """Return the risks of a finding: at the recorded baseline, else at that of the comparison arms."""
    seen = certainty.seen
    if seen.shown is None or seen.measure is None:
        return None
    if record.baseline:
        place = record.baseline.provenance
        source = f"from {ledger.references[place.ref].label if place.ref in ledger.references else place.ref}"
        return anticipated(seen.measure, seen.shown, seen.baseline, f"{source}, {place.at}")
    events, persons = (_total(body, name) for name in ("ci", "n2i"))
    if events is None or not persons:
        return anticipated(seen.measure, seen.shown, None, "")
    source = f"{events} of {persons} in the comparison arms of the included studies"
    return anticipated(seen.measure, seen.shown, events / persons, source)


def _means(body: Body | None) -> tuple[float, float] | None:
    """Return the range of the means with the comparison."""
    means = body.arms["m2i"] if body and "m2i" in body.arms else np.array([])
    there = means[np.isfinite(means)]
    return (float(there.min()), float(there.max())) if len(there) else None


def _arm(ledger: Ledger, record: Synthesis, body: Body | None, side: str) -> Arm:
    """Return persons and events of one side; each study counts once."""
    lines = {line.study: line for line in record.include if getattr(line, side)}
    sizes = [bodies.analysed(_alone(line, side), ledger) for line in lines.values()]
    known = [size for size in sizes if size is not None]
    persons = sum(known) if sizes and len(known) == len(sizes) else None
    name = "ci" if side == "comparator" else "xi" if body and "xi" in body.arms else "ai"
    return Arm(persons, _total(body, name) if persons is not None else None)


def _alone(line: Include, side: str) -> Include:
    other = "comparator" if side == "intervention" else "intervention"
    return line.model_copy(update={other: ()})


def _total(body: Body | None, name: str) -> int | None:
    """Return a count over all studies; None where one of them is not known."""
    counts = body.arms.get(name) if body else None
    return round(float(counts.sum())) if counts is not None and np.isfinite(counts).all() else None


def _unpooled(ledger: Ledger, record: Synthesis) -> str:
    """Return why the studies have no pooled effect, where the record does not say it."""
    if record.analysis is None:
        return "no analysis was fixed"
    try:
        bodies.body(ledger, record.id)
    except EvidenceError as error:
        return str(error)
    return "the numbers that were seen give no effect"


def _not_pooled(ledger: Ledger, record: Synthesis) -> str:
    """Return why nothing was pooled, and which way the studies point."""
    why = record.narrative.why if record.narrative else _unpooled(ledger, record)
    found = Counter(word for word in targets.directions(ledger, record) if word)
    pointing = ", ".join(f"{count} {word.replace('-', ' ')}" for word, count in sorted(found.items()))
    said = f"Not pooled: {why}."
    return (
        f"{said} Direction of {console.plural(sum(found.values()), 'study')}: {pointing}." if found else said
    )
