"""The studies of a synthesis as arrays, their arms combined as its record says, and their pooled estimate."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy import special

from mesoevidence import conversions, effects, fitting, mantel_haenszel
from mesoevidence.conversions import Floats, Group
from mesoevidence.effects import Mask
from mesoevidence.formulas import COLUMNS, MEASURES, Measure, Shape
from mesoevidence.ledger import Ledger
from mesoevidence.model import Analysis, Include, Result, Study, Synthesis, Values
from mesoevidence.problems import EvidenceError, nearest
from mesoevidence.vocabulary import Better

_SIDES: Mapping[Shape, tuple[Mapping[str, str], ...]] = MappingProxyType(
    {
        "table": ({"ai": "events", "n1i": "n"}, {"ci": "events", "n2i": "n"}),
        "events": ({"xi": "events", "ni": "n"},),
        "rates": ({"x1i": "count", "t1i": "person_time"}, {"x2i": "count", "t2i": "person_time"}),
        "means": ({"n1i": "n", "m1i": "mean", "sd1i": "sd"}, {"n2i": "n", "m2i": "mean", "sd2i": "sd"}),
        "mean": ({"ni": "n", "mi": "mean", "sdi": "sd"},),
    }
)
DERIVED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"bi": ("n1i", "ai"), "di": ("n2i", "ci"), "mi": ("ni", "xi")}
)


Arms: TypeAlias = Mapping[str, str | Sequence[str]]
# A person stands in every arm.
WITHIN = frozenset({"rct-within-person", "nonrandomised-within-person", "rct-crossover", "before-after"})


class Question(NamedTuple):
    """What a synthesis asks, in words, and which way is better: what a chart says beside the numbers."""

    outcome: str
    intervention: str
    comparator: str
    better: Better | None = None
    unit: str | None = None
    mid: float | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """The studies of one synthesis.

    Attributes
    ----------
    label : str
        The question in words.
    analysis : Analysis
        The analysis that was fixed.
    spec : Measure
        Its measure.
    studies : tuple of str
        The studies in the order of the record.
    arms : dict of str to array
        What was seen of each side, by metafor's names; NaN where it was not.
    yi, vi : array
        Effects and variances on the scale of computing; NaN where there is none.
    note : tuple
        Why a study has none, or what was added to its counts.
    question : Question
        What is asked, in the labels of the topic.
    """

    label: str
    analysis: Analysis
    spec: Measure
    studies: tuple[str, ...]
    arms: Mapping[str, Floats]
    yi: Floats
    vi: Floats
    note: tuple[str | None, ...]
    question: Question


class Estimate(NamedTuple):
    """What pooling a body gives, on the scale of computing; weights in percent, 0 for a study left out."""

    estimate: float
    se: float
    ci: tuple[float, float]
    weights: Floats
    numbers: Mapping[str, float]


def body(ledger: Ledger, synthesis: str | None, measure: str | None = None, arms: Arms | None = None) -> Body:
    """Return the studies of a synthesis with their effects: arms of one side combined, as its record says.

    Events and people add up; means and standard deviations combine (Cochrane Handbook 6.5.2.10). A study of
    which only the contrast was seen enters with that. `measure` and `arms`, the arms taken as the
    intervention of a study, stand in for those of the record.
    """
    record = synthesis_of(ledger, synthesis)
    analysis = record.analysis
    if analysis is None:
        why = record.narrative.why if record.narrative else "no analysis was fixed"
        raise EvidenceError(f"`{record.id}` is not pooled: {why}")
    spec = effects.named(measure or analysis.measure)
    results = [_included(ledger, record.id, item) for item in record.include]
    other = _other_arms(record, results, arms or {})
    sides = [(other.get(item.study, item.intervention), item.comparator) for item in record.include]
    rows = [arms_of(result, spec.shape, both) for result, both in zip(results, sides, strict=True)]
    names = rows[0].keys() if rows else ()
    found = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
    pairs = [
        (math.nan, math.nan) if item.study in other else contrast_of(result, spec)
        for item, result in zip(record.include, results, strict=True)
    ]
    contrasts = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    yi, vi = contrasts[:, 0], contrasts[:, 1]
    note: list[str | None] = [None] * len(rows)
    if found:
        yi, vi, said = effects.compute(cells_of(found, spec), spec)
        seen = np.isnan(yi) & np.isfinite(contrasts[:, 0])
        yi, vi = np.where(seen, contrasts[:, 0], yi), np.where(seen, contrasts[:, 1], vi)
        note = [None if told else text for told, text in zip(seen, said, strict=True)]
    studies = tuple(item.study for item in record.include)
    label = record.label or record.id
    question = question_of(ledger, record)
    return Body(label, analysis, spec, studies, found, yi, vi, tuple(note), question)


def _other_arms(record: Synthesis, results: Sequence[Result], arms: Arms) -> dict[str, list[str]]:
    """Return the arms that stand in for those of the record, or say that there is no such study or arm."""
    known = {item.study: result.values for item, result in zip(record.include, results, strict=True)}
    found = {study: [names] if isinstance(names, str) else list(names) for study, names in arms.items()}
    for study, names in found.items():
        if study not in known:
            raise EvidenceError(f"`{record.id}` has no study `{study}`; it has {', '.join(known)}")
        for name in names or [""]:
            if name not in known[study]:
                raise EvidenceError(f"`{study}` has no arm `{name}`; it has {', '.join(known[study])}")
    return found


def cells_of(arms: Mapping[str, Floats], spec: Measure) -> dict[str, Floats]:
    """Return the cells that a measure needs; the missing cell of a table from its total."""
    found: dict[str, Floats] = {}
    for name in COLUMNS[spec.shape]:
        total, part = DERIVED.get(name, ("", ""))
        found[name] = arms[name] if name in arms else arms[total] - found[part]
    return found


def estimate(body: Body, keep: Mask | None = None, level: float = 0.95) -> Estimate | None:
    """Return the studies of a body pooled as its record says, or those of a mask; None if none can be."""
    method, test = body.analysis.method, body.analysis.test or "knha"
    there = np.isfinite(body.yi) & np.isfinite(body.vi) & (body.vi > 0)
    counts: tuple[Floats, ...] = ()
    if method in fitting.COUNTED and body.arms:
        counts = tuple(cells_of(body.arms, body.spec).values())
        there = np.isfinite(np.sum(counts, axis=0))
    if keep is not None:
        there &= keep
    measure = "PETO" if method == "Peto" else body.spec.name
    if not there.any() or (method in fitting.COUNTED and (method, measure) not in mantel_haenszel.SUMS):
        return None
    rows = fitting.Rows(np.zeros(len(there), dtype=np.intp), body.yi, body.vi, there, counts)
    got = fitting.one(rows, measure, method, test, level)
    numbers = {name: values.item() for name, values in got.numbers.items()}
    if not math.isfinite(numbers["estimate"]) or not math.isfinite(numbers["se"]):
        return None
    ci = numbers["ci_low"], numbers["ci_high"]
    return Estimate(numbers["estimate"], numbers["se"], ci, got.weights, numbers)


def label_of(ledger: Ledger, study: str) -> str:
    """Return author and year of a study's first report; without an author its number or its id in words.

    The number stands for what is known by its registration: no author was seen, though an id may name one.
    """
    own = ledger.studies[study]
    reference = ledger.references.get(own.reports[0]) if own.reports else None
    if reference and reference.authors:
        return reference.label
    number = own.registration or ""
    known = number.lower() in (study, *own.reports)
    return number if known else study.replace("-", " ").capitalize()


def question_of(ledger: Ledger, record: Synthesis) -> Question:
    """Return the question of a synthesis in the labels of its topic."""
    pico, known = record.pico, ledger.interventions
    sides = [
        [known[slug].label if slug in known else slug for slug in side or ()]
        for side in (pico.intervention, pico.comparator)
    ]
    treated, compared = (" or ".join([*side[:1], *map(inside, side[1:])]) for side in sides)
    outcome = ledger.outcomes.get(pico.outcome or "")
    if outcome is None:
        return Question(pico.outcome or "", treated, compared)
    mid = float(outcome.mid.value) if outcome.mid else None
    return Question(outcome.label, treated, compared, outcome.better, outcome.unit, mid)


def inside(label: str) -> str:
    """Return a label, or several joined by "or", as it stands inside a sentence; abbreviations stay.

    >>> inside("Intradermal saline or PRP"), inside("L-carnitine"), inside("A cream")
    ('intradermal saline or PRP', 'L-carnitine', 'a cream')
    """
    parts = label.split(" or ")
    words = (part[1:2].islower() or part.startswith("A ") for part in parts)
    return " or ".join(
        part[:1].lower() + part[1:] if word else part for part, word in zip(parts, words, strict=True)
    )


def result_of(line: Include, ledger: Ledger) -> Result | None:
    """Return the result that a synthesis includes; None where there is no such study or result."""
    study = ledger.studies.get(line.study)
    return next((item for item in study.results if item.id == line.result), None) if study else None


def _included(ledger: Ledger, synthesis: str, line: Include) -> Result:
    if result := result_of(line, ledger):
        return result
    raise EvidenceError(f"`{synthesis}` includes {line.result} of {line.study}, and there is no such result")


def synthesis_of(ledger: Ledger, synthesis: str | None) -> Synthesis:
    """Return the synthesis of that id, or say which there are."""
    if synthesis is None:
        raise EvidenceError("name the synthesis to pool: pool(evidence, 'its-id')")
    if str(synthesis) in ledger.syntheses:
        return ledger.syntheses[str(synthesis)]
    near = nearest(str(synthesis), list(ledger.syntheses))
    hint = f"did you mean `{near}`?" if near else f"there are {', '.join(ledger.syntheses) or 'none'}"
    raise EvidenceError(f"there is no synthesis `{synthesis}`; {hint}")


def arms_of(result: Result, shape: Shape, sides: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return what a result has of each side, its arms combined; NaN where a number is not known."""
    found: dict[str, float] = {}
    for arms, fields in zip(sides, _SIDES.get(shape, ()), strict=False):
        parts = [result.values[arm] for arm in arms if arm in result.values]
        together = _together(parts) if parts and len(parts) == len(arms) else {}
        found |= {column: together.get(field, math.nan) for column, field in fields.items()}
    return found


def _together(parts: Sequence[Values]) -> dict[str, float]:
    """Return several arms as one: counts added up, means and standard deviations combined."""
    found = {}
    for field in ("events", "n", "count", "person_time"):
        numbers = [getattr(part, field) for part in parts]
        found[field] = math.nan if None in numbers else float(sum(numbers))
    groups = [group for part in parts if (group := group_of(part)) is not None]
    if len(groups) == len(parts):
        found |= conversions.combine_arms(groups)._asdict()
    return found


def group_of(values: Values) -> Group | None:
    """Return size, mean and SD of an arm, the SD also from the SE, both from median and quartiles."""
    known: dict[str, float] = {name: float(value) for name, value in values if value is not None}
    n, mean = known.get("n"), known.get("mean")
    if n is None:
        return None
    if mean is not None and "sd" in known:
        return Group(n, mean, known["sd"])
    if mean is not None and "se" in known:
        return Group(n, mean, float(conversions.sd_from_se(known["se"], n)))
    if known.keys() >= {"min", "q1", "median", "q3", "max"}:
        five = (known[name] for name in ("min", "q1", "median", "q3", "max"))
        return conversions.mean_sd_from_five(n, *five)
    if known.keys() >= {"q1", "median", "q3"}:
        return conversions.mean_sd_from_quartiles(n, known["q1"], known["median"], known["q3"])
    if known.keys() >= {"min", "median", "max"}:
        return conversions.mean_sd_from_range(n, known["min"], known["median"], known["max"])
    return None


def contrast_of(result: Result, spec: Measure) -> tuple[float, float]:
    """Return effect and variance as the source printed them, on the scale of computing; NaN if not seen."""
    effect, paired = result.effect, result.paired
    if effect is not None and spec.name in (effect.measure, "GEN"):
        back = _log if MEASURES[effect.measure].is_ratio else float
        if effect.ci is not None:
            low, high = (back(float(end)) for end in effect.ci)
            z = -float(special.ndtri((1 - float(effect.level or 0.95)) / 2))
            se = (high - low) / (2 * z)
        else:
            se = math.nan if effect.se is None else float(effect.se)
        return back(float(effect.estimate)), se**2
    if paired is not None and spec.name in ("MD", "MC", "GEN"):
        spread, n = paired.sd, paired.n
        per_person = math.nan if spread is None or n is None else float(spread) / math.sqrt(n)
        se = per_person if paired.se is None else float(paired.se)
        return float(paired.mean_difference), se**2
    return math.nan, math.nan


def _log(value: float) -> float:
    """Return a logarithm; NaN for what no ratio can be."""
    return math.log(value) if value > 0 else math.nan


def participants(synthesis: Synthesis, ledger: Ledger) -> int | None:
    """Return the persons in a synthesis, each once; None where a number analysed is unknown."""
    counts = {line.study: analysed(line, ledger) for line in synthesis.include}
    return None if None in counts.values() or not counts else sum(count or 0 for count in counts.values())


def analysed(line: Include, ledger: Ledger) -> int | None:
    """Return the persons behind one result, each once however often measured; None where that is unknown."""
    study, result = ledger.studies.get(line.study), result_of(line, ledger)
    if study is None or result is None:
        return None
    arms = (*line.intervention, *line.comparator) or tuple(result.values or study.arms)
    allocated = {name: arm.n for name, arm in study.arms.items()}
    known = allocated | {name: values.n for name, values in result.values.items() if values.n is not None}
    return persons(study, [known.get(arm) for arm in arms])


def persons(study: Study, sizes: Sequence[int | None]) -> int | None:
    """Return the persons behind the arms of a study, each once; None where the size of an arm is unknown."""
    known = [size for size in sizes if size is not None]
    if not sizes or len(known) < len(sizes):
        return None
    return max(known) if study.design in WITHIN else sum(known)
