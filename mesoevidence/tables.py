"""The ledger as DataFrames, with columns and dtypes that never change, also when a table is empty."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType

import pandas as pd

from mesoevidence import appraisal, bodies
from mesoevidence.blocks import Pico
from mesoevidence.bodies import participants
from mesoevidence.certainty import Certainty, strength_of
from mesoevidence.checks import Checked
from mesoevidence.ledger import Ledger
from mesoevidence.links import slugs_of
from mesoevidence.model import AnyEntry, Claim, Result, Study
from mesoevidence.strength import ORDER, evidence_strength
from mesoevidence.vocabulary import DESIGNS, CertaintyLevel, VerdictWord, words

Row = tuple[object, ...]
Dtype = str | pd.CategoricalDtype
Columns = Mapping[str, Dtype]

TEXT, WHOLE, NUMBER, TRUTH = "string", "Int64", "Float64", "boolean"
VERDICT = pd.CategoricalDtype(list(words(VerdictWord)), ordered=False)
STRENGTH = pd.CategoricalDtype(list(ORDER[::-1]), ordered=True)
CERTAINTY = pd.CategoricalDtype([*words(CertaintyLevel), "not-graded"][::-1], ordered=True)
_VALUES = (
    "n", "events", "mean", "sd", "se", "median", "q1", "q3", "min", "max", "count", "person_time",
    "proportion",
)  # fmt: skip


def table(name: str, ledger: Ledger, checked: Checked) -> pd.DataFrame:
    """Return one table of a ledger; `TABLES` names them, with their columns and dtypes."""
    columns, rows = TABLES[name]
    frame = pd.DataFrame(list(rows(ledger, checked)), columns=list(columns), dtype=object)
    return frame.astype(dict(columns))


def certainty_frame(certainty: Certainty) -> pd.DataFrame:
    """Return the start and the domains of a certainty as a DataFrame; `Certainty.to_frame` does the same.

    Parameters
    ----------
    certainty : Certainty
        What `rate` returns.

    Returns
    -------
    DataFrame
        A row for the start and for each of the eight domains: what was recorded and why, what the data
        suggest and on which numbers.

    Examples
    --------
    >>> import mesoevidence as me
    >>> me.certainty_frame(me.rate(me.load(), "meso-v-saline-response"))["domain"].tolist()[:2]
    ['start', 'risk_of_bias']
    """
    columns = ("domain", "kind", "recorded", "why", "suggested", "because")
    return pd.DataFrame(certainty.rows(), columns=list(columns)).astype("string")


def _claims(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for claim in ledger.claims.values():
        directions: list[str] = [line.direction for line in claim.evidence]
        yield (
            claim.id, claim.claim, claim.kind, claim.asserts, _joined(topics_of(claim, ledger)),
            *_asked(claim.pico), _joined(dict.fromkeys(item.source for item in claim.appearances)),
            strongest_wording(claim), *map(directions.count, ("supports", "contradicts", "neutral")),
            *_of(claim.verdict, "judgement"), evidence_strength(claim, ledger), claim.status,
        )  # fmt: skip


def strongest_wording(claim: Claim) -> str | None:
    """Return the most certain wording among a claim's appearances."""
    found = [item.wording for item in claim.appearances if item.wording]
    return min(found, key=("certain", "probable", "possible").index) if found else None


def _appearances(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for claim in ledger.claims.values():
        for item in claim.appearances:
            yield claim.id, item.source, item.at, item.wording, item.size, item.words, len(item.cited)


def _citations(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for claim in ledger.claims.values():
        for view in claim.appearances:
            for item in view.citations:
                yield (
                    claim.id, view.source, view.at, item.described, item.specificity, item.resolution,
                    item.ref, len(item.candidates), len(item.search), *_of(item.fidelity, "judgement"),
                )  # fmt: skip


def _studies(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for study in ledger.studies.values():
        primary = ledger.references.get(study.reports[0]) if study.reports else None
        yield (
            study.id, primary.label if primary else study.title or study.id, *_of(primary, "year"),
            study.design, DESIGNS[study.design].level, study.read, persons(study), len(study.arms),
            _joined(study.population), _joined(topics_of(study, ledger)), study.funding,
            study.registration, len(study.results), len(study.flags), *_of(primary, "status"), study.status,
        )  # fmt: skip


def persons(study: Study) -> int | None:
    """Return how many persons were allocated, a split face once; None where an arm's size is unknown."""
    return bodies.persons(study, [arm.n for arm in study.arms.values()])


def _arms(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for study in ledger.studies.values():
        for name, arm in study.arms.items():
            yield study.id, name, arm.intervention, arm.n, arm.detail


def _results(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for study in ledger.studies.values():
        for result in study.results:
            origin = result.provenance
            place = (origin.ref, origin.at, origin.method, origin.figures, origin.ref not in study.reports)
            head = (study.id, result.id, result.outcome, result.time, result.analysed)
            for arm, values in result.values.items():
                intervention = study.arms[arm].intervention if arm in study.arms else None
                numbers = tuple(_number(getattr(values, name)) for name in _VALUES)
                yield (*head, arm, intervention, *numbers, *_contrast(result), *place)
            if not result.values:
                yield (*head, None, None, *(None for _ in _VALUES), *_contrast(result), *place)


def _contrast(result: Result) -> Row:
    """Return what a result says between arms: printed effect, paired difference, direction and p."""
    effect = result.effect
    measure, estimate, se, own = _of(effect, "measure", "estimate", "se", "p")
    low, high = effect.ci if effect and effect.ci else (None, None)
    operator, p = _of(result.p or own, "operator", "value")
    numbers = (estimate, low, high, se, *_of(result.paired, "mean_difference"))
    return measure, *map(_number, numbers), result.direction, operator, _number(p)


def _risk_of_bias(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for study in ledger.studies.values():
        for rob in study.rob:
            for domain, part in rob.domains.items():
                yield study.id, rob.tool, rob.result, domain, part.judgement, part.why
            yield study.id, rob.tool, rob.result, "overall", rob.overall.judgement, rob.overall.why


def _missing(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    yield from appraisal.availability(ledger)


def _syntheses(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for synthesis in ledger.syntheses.values():
        studies = {line.study for line in synthesis.include}
        yield (
            synthesis.id, synthesis.label, *_asked(synthesis.pico), len(studies),
            participants(synthesis, ledger), *_of(synthesis.analysis, "measure", "method", "test"),
            *_of(synthesis.narrative, "why"), strength_of(synthesis), synthesis.status,
        )  # fmt: skip


def _references(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for reference in ledger.references.values():
        fields = reference.fields
        yield (
            reference.key, reference.type, reference.label, reference.title, reference.year,
            fields.get("journal"), reference.doi, fields.get("pmid"), reference.link, reference.status,
        )  # fmt: skip


def _outcomes(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for slug, outcome in ledger.outcomes.items():
        yield (
            slug, outcome.label, ledger.topic_of[slug], outcome.type, outcome.unit, outcome.better,
            outcome.importance, _number(outcome.step), *map(_number, _of(outcome.mid, "value")),
        )  # fmt: skip


def _problems(ledger: Ledger, checked: Checked) -> Iterator[Row]:
    for problems, acknowledged in ((checked.problems, False), (checked.acknowledged, True)):
        for found in problems:
            place = (found.path, found.line, found.column)
            yield found.code, found.severity, *place, found.message, found.hint or None, acknowledged


def topics_of(entry: AnyEntry, ledger: Ledger) -> tuple[str, ...]:
    """Return the topics a record belongs to: those of its slugs, and those it names, sorted."""
    named = {ledger.topic_of[slug] for slug in slugs_of(entry) if slug in ledger.topic_of}
    return tuple(sorted(named | set(getattr(entry, "topics", ()))))


def _of(block: object, *names: str) -> Row:
    """Return some fields of a block, and empty cells where there is no block."""
    return tuple(getattr(block, name, None) for name in names)


def _asked(pico: Pico | None) -> Row:
    """Return population, intervention, comparator and outcome of a question."""
    sides = (getattr(pico, side, None) for side in ("population", "intervention", "comparator"))
    return *map(_joined, sides), *_of(pico, "outcome")


def _joined(parts: Iterable[str] | None) -> str | None:
    """Return words joined by semicolons; None for no words."""
    return "; ".join(parts or ()) or None


def _number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _columns(spec: str) -> Columns:
    """Return names with dtypes from "name name:kind ..."; a name alone is text."""
    pairs = (word.partition(":") for word in spec.split())
    return MappingProxyType({name: _KINDS[kind or "text"] for name, _, kind in pairs})


_KINDS: Mapping[str, Dtype] = {
    "text": TEXT, "whole": WHOLE, "number": NUMBER, "truth": TRUTH, "verdict": VERDICT, "strength": STRENGTH,
    "certainty": CERTAINTY,
}  # fmt: skip

TABLES: Mapping[str, tuple[Columns, Callable[[Ledger, Checked], Iterator[Row]]]] = MappingProxyType(
    {
        "claims": (_columns(
            "id claim kind asserts topics population intervention comparator outcome sources wording "
            "supports:whole contradicts:whole neutral:whole verdict:verdict evidence_strength:strength status"
        ), _claims),
        "appearances": (_columns("claim source at wording size words citations:whole"), _appearances),
        "citations": (_columns(
            "claim source at cited_as specificity resolution ref candidates:whole searches:whole fidelity"
        ), _citations),
        "studies": (_columns(
            "id label year:whole design level:whole read persons:whole arms:whole population topics funding "
            "registration results:whole flags:whole source_status status"
        ), _studies),
        "arms": (_columns("study arm intervention n:whole detail"), _arms),
        "results": (_columns(
            "study result outcome time analysed arm intervention n:whole events:whole mean:number sd:number "
            "se:number median:number q1:number q3:number min:number max:number count:whole "
            "person_time:number "
            "proportion:number measure estimate:number ci_low:number ci_high:number effect_se:number "
            "mean_difference:number direction p_operator p_value:number ref at method figures "
            "second_hand:truth"
        ), _results),
        "risk_of_bias": (_columns("study tool result domain judgement why"), _risk_of_bias),
        "missing_results": (_columns("synthesis study design availability why"), _missing),
        "syntheses": (_columns(
            "id label population intervention comparator outcome studies:whole participants:whole measure "
            "method "
            "test narrative certainty:certainty status"
        ), _syntheses),
        "references": (_columns("key type label title year:whole journal doi pmid link status"), _references),
        "outcomes": (_columns(
            "id label topic type unit better importance step:number mid:number"
        ), _outcomes),
        "problems": (_columns(
            "code severity path line:whole column:whole message hint acknowledged:truth"
        ), _problems),
    }
)  # fmt: skip
