"""Effect sizes: from what studies print to an estimate and its variance, row by row, none lost."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from mesoevidence import conversions
from mesoevidence.conversions import Floats, Group
from mesoevidence.formulas import COLUMNS, MEASURES, Measure, Shape
from mesoevidence.ledger import Ledger
from mesoevidence.model import Analysis, Include, Result, Synthesis, Values
from mesoevidence.problems import EvidenceError, nearest
from mesoevidence.vocabulary import Better

Mask: TypeAlias = NDArray[np.bool_]
To = Literal["only0", "all", "if0all", "none"]

_COUNTS: Mapping[Shape, int] = MappingProxyType({"table": 4, "events": 2, "rates": 2})
_DERIVED = {"bi": ("n1i", "ai"), "di": ("n2i", "ci"), "mi": ("ni", "xi")}
_SIDES: Mapping[Shape, tuple[Mapping[str, str], ...]] = MappingProxyType(
    {
        "table": ({"ai": "events", "n1i": "n"}, {"ci": "events", "n2i": "n"}),
        "events": ({"xi": "events", "ni": "n"},),
        "rates": ({"x1i": "count", "t1i": "person_time"}, {"x2i": "count", "t2i": "person_time"}),
        "means": ({"n1i": "n", "m1i": "mean", "sd1i": "sd"}, {"n2i": "n", "m2i": "mean", "sd2i": "sd"}),
        "mean": ({"ni": "n", "mi": "mean", "sdi": "sd"},),
    }
)


def effect_sizes(
    frame: pd.DataFrame,
    measure: str,
    *,
    vtype: str = "LS",
    add: float | None = None,
    to: To = "only0",
    drop00: bool = False,
) -> pd.DataFrame:
    """Return the frame with an estimate `yi`, its variance `vi`, the `measure` and a `note` on every row.

    The columns are those of metafor's `escalc` (Viechtbauer 2010, doi:10.18637/jss.v036.i03), and so are the
    formulas: `ai bi ci di` or `ai n1i ci n2i`; `m1i sd1i n1i m2i sd2i n2i`; `xi ni`; `mi sdi ni`;
    `x1i t1i x2i t2i`; `m1i m2i sd1i sd2i ri ni` (paired); `ri ni`; `yi` with `vi`, `sei`, `ci_low ci_high` or
    `p`. Ratios are logarithms. A row that cannot be computed stays, empty, with the reason in `note`.

    Parameters
    ----------
    frame : DataFrame
        One row a study.
    measure : str
        A name in `MEASURES`.
    vtype : {"LS", "LS2", "UB", "HO", "revman"}
        The sampling variance. For SMD: "LS" (Hedges 1982), "LS2" (Borenstein), "UB" (unbiased), "revman"
        (the Cochrane formula with its approximate correction: Deeks and Higgins 2010).
    add, to, drop00
        What is added to cells (0.5), where ("only0": in studies with a zero, "all", "if0all", "none"), and
        whether studies without events, or without anything else, in both arms are left out.

    Examples
    --------
    >>> trials = pd.DataFrame({"ai": [54, 27], "n1i": [86, 30], "ci": [7, 12], "n2i": [40, 30]})
    >>> effect_sizes(trials, "RR")[["yi", "vi"]].round(4).values.tolist()
    [[1.2776, 0.1247], [0.8109, 0.0537]]
    """
    yi, vi, note = compute(frame, measure, vtype=vtype, add=add, to=to, drop00=drop00)
    return frame.assign(yi=yi, vi=vi, measure=measure, note=pd.array(note, dtype=object))


def compute(
    frame: pd.DataFrame,
    measure: str,
    *,
    vtype: str = "LS",
    add: float | None = None,
    to: To = "only0",
    drop00: bool = False,
) -> tuple[Floats, Floats, list[str | None]]:
    """Return estimates, variances and notes as arrays; what `effect_sizes` puts into its frame."""
    spec = named(measure)
    if vtype not in spec.vtypes:
        raise EvidenceError(f"{measure} has no variance {vtype!r}; it has {', '.join(spec.vtypes)}")
    if to not in ("only0", "all", "if0all", "none"):
        raise EvidenceError(f"`to` is only0, all, if0all or none, not {to!r}")
    cells = columns(frame, spec)
    note: list[str | None] = [None] * len(frame)
    with np.errstate(all="ignore"):
        _refuse(cells, spec.shape, note)
        if spec.shape in _COUNTS:
            cells = _corrected(cells, spec, spec.add if add is None else add, to, drop00, note)
        yi, vi = spec.compute(*cells.values(), vtype)
        refused = np.array([text is not None and not text.startswith("added") for text in note], dtype=bool)
        lost = ~(np.isfinite(yi) & (vi >= 0) & np.isfinite(vi))
    _say(note, lost & ~refused, f"{measure} or its variance is not defined for these numbers")
    empty = lost | refused
    _say(note, (vi == 0) & ~empty, "the variance is zero, so that this row cannot be pooled")
    return np.where(empty, np.nan, yi), np.where(empty, np.nan, vi), note


def named(measure: str) -> Measure:
    """Return the measure of that name, or say which name is near."""
    if measure in MEASURES:
        return MEASURES[measure]
    near = nearest(str(measure).upper(), list(MEASURES))
    hint = f"did you mean {near}?" if near else f"there are {', '.join(MEASURES)}"
    raise EvidenceError(f"there is no measure {measure!r}; {hint}")


def columns(frame: pd.DataFrame, spec: Measure) -> dict[str, Floats]:
    """Return the columns that a measure needs as arrays; the missing cell of a table from its total."""
    if spec.shape == "generic":
        return estimates(frame)
    found: dict[str, Floats] = {}
    for name in COLUMNS[spec.shape]:
        if name in frame.columns:
            found[name] = numbers(frame, name)
        elif name in _DERIVED and spec.shape in ("table", "events") and _DERIVED[name][0] in frame.columns:
            total, part = _DERIVED[name]
            found[name] = numbers(frame, total) - found[part]
        else:
            need = " ".join(COLUMNS[spec.shape])
            raise EvidenceError(f"{spec.name} needs the columns {need}, and there is no column `{name}`")
    return found


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column as floats, what is missing as NaN, or say that it holds something else."""
    try:
        return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise EvidenceError(f"the column `{name}` holds something that is not a number") from error


def estimates(frame: pd.DataFrame) -> dict[str, Floats]:
    """Return `yi` with `vi`: given, else from `sei`, a 95 % interval `ci_low ci_high` or a two-sided `p`."""
    if "yi" not in frame.columns:
        raise EvidenceError("there is no column `yi`; give it with vi, sei, ci_low and ci_high, or p")
    yi = numbers(frame, "yi")
    vi = numbers(frame, "vi") if "vi" in frame.columns else np.full(len(frame), np.nan)
    if "vi" in frame.columns and not np.isnan(vi).any():
        return {"yi": yi, "vi": vi}
    with np.errstate(all="ignore"):
        if "sei" in frame.columns:
            se = numbers(frame, "sei")
            vi = np.where(np.isnan(vi), np.where(se < 0, np.nan, se**2), vi)
        if "ci_low" in frame.columns and "ci_high" in frame.columns:
            width = numbers(frame, "ci_high") - numbers(frame, "ci_low")
            se = np.where(width > 0, width, np.nan) / (-2 * special.ndtri(0.025))
            vi = np.where(np.isnan(vi), se**2, vi)
        if "p" in frame.columns:
            vi = np.where(np.isnan(vi), (yi / special.ndtri(numbers(frame, "p") / 2)) ** 2, vi)
    return {"yi": yi, "vi": vi}


def participants(frame: pd.DataFrame) -> Floats | None:
    """Return how many people stand behind each row, if the columns tell."""
    for names in (("ni",), ("n1i", "n2i"), ("ai", "bi", "ci", "di"), ("xi", "mi")):
        if all(name in frame.columns for name in names):
            return sum((numbers(frame, name) for name in names), np.zeros(len(frame)))
    return None


def _say(note: list[str | None], where: Mask, text: str) -> None:
    """Put a text on the rows of a mask that have none."""
    for row in np.flatnonzero(where):
        if note[row] is None:
            note[row] = text


def _refuse(cells: Mapping[str, Floats], shape: Shape, note: list[str | None]) -> None:
    """Say which rows cannot be: a number missing or infinite, a negative count, an empty group."""
    for name, values in cells.items():
        _say(note, np.isnan(values), f"`{name}` is missing")
        _say(note, np.isinf(values), f"`{name}` is infinite")
    for name, values in cells.items():
        if name.startswith("sd"):
            _say(note, values < 0, f"the standard deviation `{name}` is negative")
        elif name in ("n1i", "n2i", "ni", "t1i", "t2i"):
            _say(note, values <= 0, f"`{name}` is not above zero")
        elif name == "ri":
            _say(note, np.abs(values) > 1, "the correlation lies outside -1 to 1")
    for name in COLUMNS[shape][: _COUNTS.get(shape, 0)]:
        _say(note, cells[name] < 0, "a count is negative, or larger than its group")
    if shape == "table":
        ai, bi, ci, di = cells.values()
        _say(note, (ai + bi == 0) | (ci + di == 0), "a group is empty")
    if shape == "events":
        _say(note, cells["xi"] + cells["mi"] == 0, "the group is empty")


def _corrected(
    cells: dict[str, Floats], spec: Measure, add: float, to: To, drop00: bool, note: list[str | None]
) -> dict[str, Floats]:
    """Return the counts with the continuity correction, and say on which rows it was made."""
    names = COLUMNS[spec.shape][: _COUNTS[spec.shape]]
    counts = [cells[name] for name in names]
    zero = np.logical_or.reduce([count == 0 for count in counts])
    if drop00 and spec.shape != "events":
        arms = [(counts[0], counts[2])] if spec.shape == "table" else [(counts[0], counts[1])]
        none = (arms[0][0] == 0) & (arms[0][1] == 0)
        if spec.shape == "table":
            none |= (counts[1] == 0) & (counts[3] == 0)
        _say(note, none, "left out: the outcome is the same for everybody in both arms")
    raised = {"only0": zero, "all": np.ones_like(zero), "if0all": np.full_like(zero, zero.any())}.get(to)
    if raised is None or add == 0:
        return cells
    _say(note, raised, f"added {add:g} to every count of this study")
    return {name: np.where(raised, value + add, value) if name in names else value
            for name, value in cells.items()}  # fmt: skip


class Question(NamedTuple):
    """What a synthesis asks, in words, and which way is better: what a chart says beside the numbers."""

    outcome: str
    intervention: str
    comparator: str
    better: Better | None = None
    unit: str | None = None
    mid: float | None = None


class Body(NamedTuple):
    """The studies of a synthesis as a frame, its name, the analysis that was fixed, and the question."""

    frame: pd.DataFrame
    label: str
    analysis: Analysis
    question: Question


def synthesis_frame(ledger: Ledger, synthesis: str | None) -> Body:
    """Return the studies of a synthesis with their effects: arms of one side combined, as its record says.

    Events and people add up; means and standard deviations combine (Cochrane Handbook 6.5.2.10). A study of
    which only the contrast was seen enters with that.
    """
    record = _synthesis(ledger, synthesis)
    analysis = record.analysis
    if analysis is None:
        why = record.narrative.why if record.narrative else "no analysis was fixed"
        raise EvidenceError(f"`{record.id}` is not pooled: {why}")
    spec = named(analysis.measure)
    results = [_result(ledger, record.id, item) for item in record.include]
    sides = [(item.intervention, item.comparator) for item in record.include]
    arms = [_arms(result, spec.shape, both) for result, both in zip(results, sides, strict=True)]
    contrasts = np.array([_contrast(result, spec) for result in results], dtype=np.float64).reshape(-1, 2)
    names = [item.study for item in record.include]
    slab = [_label(ledger, name) for name in names]
    frame = pd.DataFrame({"slab": slab, "study": names}).join(pd.DataFrame(arms))
    rest = (record.label or record.id, analysis, _question(ledger, record))
    if spec.shape not in _SIDES:
        return Body(frame.assign(yi=contrasts[:, 0], vi=contrasts[:, 1]), *rest)
    yi, vi, note = compute(frame, spec.name)
    seen = np.isnan(yi) & np.isfinite(contrasts[:, 0])
    frame = frame.assign(
        yi=np.where(seen, contrasts[:, 0], yi), vi=np.where(seen, contrasts[:, 1], vi), measure=spec.name,
        note=pd.array([None if told else text for told, text in zip(seen, note, strict=True)], dtype=object),
    )  # fmt: skip
    return Body(frame, *rest)


def _label(ledger: Ledger, study: str) -> str:
    """Return author and year of a study's first report; its id where there is none."""
    reports = ledger.studies[study].reports
    reference = ledger.references.get(reports[0]) if reports else None
    return reference.label if reference else study


def _question(ledger: Ledger, record: Synthesis) -> Question:
    """Return the question of a synthesis in the labels of its topic."""
    pico, known = record.pico, ledger.interventions
    treated, compared = (
        " or ".join(known[slug].label if slug in known else slug for slug in side or ())
        for side in (pico.intervention, pico.comparator)
    )
    outcome = ledger.outcomes.get(pico.outcome or "")
    if outcome is None:
        return Question(pico.outcome or "", treated, compared)
    mid = float(outcome.mid.value) if outcome.mid else None
    return Question(outcome.label, treated, compared, outcome.better, outcome.unit, mid)


def _result(ledger: Ledger, synthesis: str, item: Include) -> Result:
    """Return the result that a synthesis includes."""
    study = ledger.studies.get(item.study)
    for result in study.results if study else ():
        if result.id == item.result:
            return result
    raise EvidenceError(f"`{synthesis}` includes {item.result} of {item.study}, and there is no such result")


def _synthesis(ledger: Ledger, synthesis: str | None) -> Synthesis:
    """Return the synthesis of that id, or say which there are."""
    if synthesis in ledger.syntheses:
        return ledger.syntheses[str(synthesis)]
    if synthesis is None:
        raise EvidenceError("name the synthesis to pool: pool(evidence, 'its-id')")
    near = nearest(synthesis, list(ledger.syntheses))
    hint = f"did you mean `{near}`?" if near else f"there are {', '.join(ledger.syntheses) or 'none'}"
    raise EvidenceError(f"there is no synthesis `{synthesis}`; {hint}")


def _arms(result: Result, shape: Shape, sides: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return what a result has of each side, its arms combined; NaN where a number is not known."""
    values = result.values or {}
    found: dict[str, float] = {}
    for arms, fields in zip(sides, _SIDES.get(shape, ()), strict=False):
        parts = [values[arm] for arm in arms if arm in values]
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


def _contrast(result: Result, spec: Measure) -> tuple[float, float]:
    """Return effect and variance as the source printed them, on the scale of computing; NaN if not seen."""
    effect, paired = result.effect, result.paired
    if effect is not None and spec.name in (effect.measure, "GEN"):
        back: Callable[[float], float] = math.log if MEASURES[effect.measure].is_ratio else float
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
