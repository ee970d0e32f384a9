"""One estimate from many: the studies of one question, or of thousands, pooled with metafor's meanings."""

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mesoevidence import fitting, heterogeneity, mantel_haenszel, measures
from mesoevidence.bodies import Arms
from mesoevidence.fitting import COUNTED, Fit, Rows
from mesoevidence.formulas import MEASURES
from mesoevidence.heterogeneity import Ints, Mask
from mesoevidence.ledger import Ledger
from mesoevidence.pooled import Pooled
from mesoevidence.problems import EvidenceError

TESTS = ("z", "t", "knha", "adhoc")
METHODS = (*heterogeneity.METHODS, "MH", "Peto")
COLUMNS = (
    "estimate", "se", "ci_low", "ci_high", "p_value", "statistic", "df", "tau2", "i2", "h2", "q", "q_df",
    "q_p_value", "prediction_low", "prediction_high", "k", "n", "measure", "method", "test", "level", "note",
)  # fmt: skip

_TAU2_CI = ("tau2_ci_low", "tau2_ci_high")
_LARGEST, _SMALLEST = 1e50, 1e-50
_WHOLE = ("df", "q_df", "k", "n")
_FEW = 4
_ALONE = "a single study: its own estimate with a z interval, nothing is pooled"
_NARROW = "the Hartung-Knapp interval is narrower than Wald's; the wider of both is cautious (test='adhoc')"
_ALIKE = "the effects are identical, so that Hartung-Knapp gives no interval; ask for test='z' or 'adhoc'"
_SPAN = "the numbers span more orders of magnitude than can be pooled"
_NOTHING = "there are no studies to pool; give rows that have an effect and a variance"
_WEIGHTLESS = "a variance is zero or negative, so that its study has no weight; leave it out"
_ENDLESS = "an effect or a variance is infinite; correct it or leave the study out"
_OTHER = "`yi` is {}, not {}; compute it anew with effect_sizes"
_NO_SUM = "the counts give no sum: the outcome is the same for everybody in one of the arms"


@overload
def pool(
    data: object, synthesis: str | None = None, *, by: None = None, measure: str | None = None,
    method: str | None = None, test: str | None = None, level: float = 0.95, tau2_ci: bool = False,
    arms: Arms | None = None,
) -> Pooled: ...  # fmt: skip


@overload
def pool(
    data: object, synthesis: str | None = None, *, by: str | Sequence[str], measure: str | None = None,
    method: str | None = None, test: str | None = None, level: float = 0.95, tau2_ci: bool = False,
    arms: Arms | None = None,
) -> pd.DataFrame: ...  # fmt: skip


def pool(
    data: object,
    synthesis: str | None = None,
    *,
    by: str | Sequence[str] | None = None,
    measure: str | None = None,
    method: str | None = None,
    test: str | None = None,
    level: float = 0.95,
    tau2_ci: bool = False,
    arms: Arms | None = None,
) -> Pooled | pd.DataFrame:
    """Pool the studies of one question, or with `by` those of every question at once.

    Parameters
    ----------
    data : DataFrame or Evidence
        `yi` with `vi` or `sei` (labels in `slab`), or the columns of `effect_sizes` with `measure`; or
        evidence, with the id of a synthesis, which is then pooled as its record says.
    synthesis : str, optional
        The id of a synthesis.
    by : str or list of str, optional
        The columns that name the question. A DataFrame comes back, one row a question, sorted by it.
    measure : str, optional
        A name in `MEASURES`; the column `measure` when left out, and GEN without one.
    method : str, optional
        EE, DL, HE, HS, SJ, ML, REML (unless the synthesis says otherwise), EB or PM; MH and Peto for counts.
    test : str, optional
        z, t, knha (unless the synthesis says otherwise) or adhoc; MH and Peto are tested by z.
    level : float
        Of the intervals.
    tau2_ci : bool
        With `by`: add the Q-profile interval. A `Pooled` always has it.
    arms : dict, optional
        Of a synthesis: by study, the arms to take as its intervention instead of those of the record.

    Returns
    -------
    Pooled or DataFrame
        Numbers in metafor's sense (Viechtbauer 2010, doi:10.18637/jss.v036.i03), ratios as logarithms. In a
        frame, a question that cannot be pooled is an empty row with the reason in `note`.

    Raises
    ------
    EvidenceError
        When a method, test, measure, column, synthesis or arm is not there, and, without `by`, when there is
        nothing to pool or a study stands twice.

    Examples
    --------
    >>> trials = pd.DataFrame({"ai": [54, 27, 9], "n1i": [86, 30, 14], "ci": [7, 12, 3], "n2i": [40, 30, 14]})
    >>> pool(trials, measure="RR", method="DL", test="z")
    <Pooled RR 2.63 (95 % CI 1.84 to 3.77), p < 0.001, k = 3, DL, z>
    >>> pool(trials.assign(question=["a", "b", "a"]), by="question", measure="RR")[["question", "k"]].values
    array([['a', 2],
           ['b', 1]], dtype=object)
    """
    body = None
    if not isinstance(data, pd.DataFrame):
        body = _body(data, synthesis, measure, arms)
        data, plan = body.frame, body.analysis
        measure, method, test = measure or plan.measure, method or plan.method, test or plan.test
    elif arms is not None or synthesis is not None:
        raise EvidenceError("a synthesis and its `arms` are those of evidence; of a frame, choose the rows")
    method, test = method or "REML", test or "knha"
    _check_request(method, test, level)
    if method in COUNTED:
        test = "z"
    if method == "Peto" and measure in (None, "OR"):
        measure = "PETO"
    if by is None:
        pooled = _one(data, _measure_of(data, measure), method, test, level)
        return pooled if body is None else _named(pooled, body, arms or {})
    return _many(data, [by] if isinstance(by, str) else list(by), measure, method, test, level, tau2_ci)


def _body(data: object, synthesis: str | None, measure: str | None, arms: Arms | None) -> measures.Body:
    """Return the studies of a synthesis, or say that it needs evidence."""
    ledger = getattr(data, "ledger", data)
    if not isinstance(ledger, Ledger):
        raise EvidenceError(
            f"pool takes a DataFrame, or evidence and the id of a synthesis, not {type(data)}"
        )
    return measures.synthesis_frame(ledger, synthesis, measure, arms)


def _named(pooled: Pooled, body: measures.Body, arms: Arms) -> Pooled:
    """Return the result with its question, and say where it is not the analysis that was fixed."""
    plan = body.analysis
    asked = (pooled.measure, pooled.method, pooled.test)
    fixed = (plan.measure, plan.method, plan.test or "knha")
    said = [f"{one} instead of {other}" for one, other in zip(asked, fixed, strict=True) if one != other]
    said += [
        f"of {study} {' and '.join([names] if isinstance(names, str) else names)}"
        for study, names in arms.items()
    ]
    first = (f"exploratory, not the analysis that was fixed: {', '.join(said)}",) if said else ()
    return replace(pooled, label=body.label, question=body.question, warnings=(*first, *pooled.warnings))


def _check_request(method: str, test: str, level: float) -> None:
    """Refuse a method, test or level that there is not."""
    if method not in METHODS:
        raise EvidenceError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    if test not in TESTS:
        raise EvidenceError(f"there is no test {test!r}; there are {', '.join(TESTS)}")
    if not isinstance(level, Real) or not 0 < level < 1:
        raise EvidenceError(f"`level` lies between 0 and 1, such as 0.95, and not at {level}")


def _measure_of(frame: pd.DataFrame, measure: str | None) -> str:
    """Return the one measure of the rows."""
    given = frame["measure"].dropna().unique().tolist() if "measure" in frame.columns else []
    if len(given) > 1:
        raise EvidenceError(
            f"{' and '.join(map(str, sorted(given)))} cannot be pooled together; pool each alone"
        )
    if given and measure not in (None, given[0]) and "yi" in frame.columns:
        raise EvidenceError(_OTHER.format(given[0], measure))
    return measures.named(measure or (str(given[0]) if given else "GEN")).name


def _rows(frame: pd.DataFrame, question: Ints, measure: str, method: str) -> Rows:
    """Return the rows with their effects; a row that cannot be computed is not there."""
    if method in COUNTED:
        if (method, measure) not in mantel_haenszel.SUMS:
            known = [name for way, name in mantel_haenszel.SUMS if way == method]
            raise EvidenceError(f"{method} pools counts as {', '.join(known)}, not {measure}")
        yi, vi, _ = measures.compute(frame, measure, drop00=True)
        counted, _, _ = measures.compute(frame, measure)
        counts = tuple(measures.columns(frame, MEASURES[measure]).values())
        return Rows(question, yi, vi, np.isfinite(counted), counts)
    if "yi" in frame.columns:
        yi, vi = measures.estimates(frame).values()
    else:
        yi, vi, _ = measures.compute(frame, measure)
    return Rows(question, yi + 0.0, vi, ~(np.isnan(yi) | np.isnan(vi)), ())


def _faults(frame: pd.DataFrame, rows: Rows) -> list[tuple[Mask, str]]:
    """Return which rows make their question impossible to pool, and why."""
    yi, vi, there = rows.yi, rows.vi, rows.there
    found: list[tuple[Mask, str]] = []
    sound = (np.abs(yi) <= _LARGEST) & (vi <= _LARGEST) & (vi >= _SMALLEST)
    if not rows.counts and not sound.all():
        found = [
            (there & (vi <= 0), _WEIGHTLESS),
            (there & ~(np.isfinite(yi) & np.isfinite(vi)), _ENDLESS),
            (there & ((np.abs(yi) > _LARGEST) | (vi > _LARGEST) | (vi < _SMALLEST)), _SPAN),
        ]
    for name in ("measure", "outcome"):
        if name in frame.columns:
            codes = pd.factorize(frame[name])[0]
            first = np.full(rows.question.max(initial=0) + 1, -1)
            used = np.flatnonzero(there & (codes >= 0))[::-1]
            first[rows.question[used]] = codes[used]
            differs = there & (codes >= 0) & (codes != first[rows.question])
            found.append((differs, f"there is more than one {name}; pool each alone"))
    unit = next((name for name in ("study", "slab") if name in frame.columns), None)
    if unit is not None:
        keys = pd.DataFrame({"question": rows.question, "unit": frame[unit].to_numpy()})
        twice = there & keys["unit"].notna().to_numpy() & keys.duplicated().to_numpy()
        found.append((twice, "a study stands twice; combine its results or keep one"))
    return found


def _one(frame: pd.DataFrame, measure: str, method: str, test: str, level: float) -> Pooled:
    """Pool one question."""
    rows = _rows(frame, np.zeros(len(frame), dtype=np.intp), measure, method)
    kept = rows.there.nonzero()[0]
    fault = next((why for where, why in _faults(frame, rows) if where.any()), None)
    if measure == "PFT" and (rows.vi[kept] >= 0.5).any():
        fault = fault or "a variance is not that of a Freeman-Tukey angle, 1 / (4 n + 2)"
    if fault or not len(kept):
        raise EvidenceError(fault or _NOTHING)
    got = fitting.one(rows, measure, method, test, level)
    numbers = {name: _known(values.item()) for name, values in got.numbers.items()}
    if numbers["estimate"] is None or (numbers["se"] is None and test != "knha"):
        raise EvidenceError(_NO_SUM if method in COUNTED else _SPAN)
    held = sum(name in frame.columns for name in ("slab", "yi", "vi"))
    given = None if held == len(frame.columns) else frame.iloc[kept]
    people = None if given is None else measures.participants(given)
    slab = frame["slab"].astype(str).tolist() if "slab" in frame.columns else range(1, len(frame) + 1)
    warnings = _warnings(len(kept), len(frame) - len(kept), got.narrow.item(), numbers["se"] is None)
    ci, prediction = (_limits(numbers, name) for name in ("ci", "prediction"))
    same = ("se", "p_value", "statistic", "tau2", "i2", "h2", "q", "q_p_value")
    return Pooled(
        estimate=numbers["estimate"], **{name: numbers[name] for name in same},
        df=_whole(numbers["df"]), q_df=_whole(numbers["q_df"]), ci=ci, prediction=prediction, k=len(kept),
        n=None if people is None else _whole(_known(people.sum())), measure=measure, method=method,
        test=test, level=level, warnings=warnings, label=None, question=None, given=given,
        slab=tuple(str(slab[row]) for row in kept.tolist()), yi=tuple(rows.yi[kept].tolist()),
        vi=tuple(rows.vi[kept].tolist()), weights=tuple(got.weights[kept].tolist()),
    )  # fmt: skip


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _limits(numbers: dict[str, float | None], name: str) -> tuple[float, float] | None:
    low, high = numbers[f"{name}_low"], numbers[f"{name}_high"]
    return None if low is None or high is None else (low, high)


def _warnings(k: int, left_out: int, narrow: bool, alike: bool) -> tuple[str, ...]:
    """Return what a reader must know of one question before using its numbers."""
    said = []
    if left_out:
        said.append(f"{left_out} of {k + left_out} studies could not be computed and are left out")
    if k == 1:
        said.append(_ALONE)
    elif k <= _FEW:
        said.append(f"only {k} studies: the interval and tau2 are uncertain")
    if alike:
        said.append(_ALIKE)
    elif narrow:
        said.append(_NARROW)
    return tuple(said)


def _many(
    frame: pd.DataFrame,
    by: list[str],
    measure: str | None,
    method: str,
    test: str,
    level: float,
    tau2_ci: bool,
) -> pd.DataFrame:
    """Pool every question at once."""
    if not by:
        raise EvidenceError("name the columns to pool by, one or more")
    if missing := [name for name in by if name not in frame.columns]:
        raise EvidenceError(f"there is no column `{missing[0]}` to pool by")
    if taken := [name for name in by if name in COLUMNS and name != "measure"]:
        raise EvidenceError(f"the result has a column `{taken[0]}` of its own; rename the one to pool by")
    question, keys = _keys(frame, by)
    if method in COUNTED:
        measure = _measure_of(frame, measure)
    elif measure is None and "yi" not in frame.columns and "measure" in frame.columns:
        frame = measures.each_by_its_own(frame)
    named = _measures(frame, question, len(keys), measure)
    rows = _rows(frame, question, str(named[0]) if len(named) else "GEN", method)
    k = np.bincount(question[rows.there], minlength=len(keys))
    notes = _notes(frame, rows, k, named, measure)
    good = notes == ""
    laid, order = fitting.in_order(rows, np.flatnonzero(rows.there & good[question]))
    got = fitting.fitted(laid, k[good], str(named[0]), method, test, level) if good.any() else None
    names = (*COLUMNS, *_TAU2_CI) if tau2_ci else COLUMNS
    columns: dict[str, Any] = {name: np.full(len(keys), np.nan) for name in names}
    if got is not None:
        for name, values in got.numbers.items():
            columns[name][good] = np.where(np.isfinite(values), values, np.nan)
        lost = good & np.isnan(columns["estimate"])
        notes[lost] = _NO_SUM if method in COUNTED else _SPAN
        _warn(notes, k, np.bincount(question, minlength=len(keys)) - k, got, good, good & ~lost)
        if tau2_ci and method not in (*COUNTED, "EE"):
            ends = heterogeneity.q_profile(heterogeneity.questions(laid.yi, laid.vi, k[good]), level)
            for name, end in zip(_TAU2_CI, ends, strict=True):
                columns[name][good] = np.where(k[good] > 1, end, np.nan)
    if (people := measures.participants(frame)) is not None:
        columns["n"][good] = np.bincount(laid.question, people[order], minlength=len(keys))[good]
    columns |= {"k": k, "measure": named, "method": method, "test": test, "level": level}
    notes[notes == ""] = None
    columns["note"] = notes
    return _framed(keys, columns)


def _keys(frame: pd.DataFrame, by: list[str]) -> tuple[Ints, pd.DataFrame]:
    """Return the question of each row, and the keys of the questions in their order."""
    if frame[by].isna().any(axis=None):
        raise EvidenceError(
            f"a row has no {' or '.join(by)}; every row must say to which question it belongs"
        )
    if len(by) == 1:
        codes, found = pd.factorize(frame[by[0]], sort=True)
        return codes.astype(np.intp), pd.DataFrame({by[0]: found})
    groups = frame.groupby(by, sort=True, observed=True)
    return groups.ngroup().to_numpy().astype(np.intp), groups.size().reset_index()[by]


def _measures(frame: pd.DataFrame, question: Ints, total: int, measure: str | None) -> NDArray[np.object_]:
    """Return the measure of every question: one for all, or the one of its rows."""
    if "measure" not in frame.columns or "yi" not in frame.columns:
        return np.full(total, _measure_of(frame, measure), dtype=object)
    given = frame["measure"].to_numpy(dtype=object, na_value=measure or "GEN")
    named = np.full(total, measure or "GEN", dtype=object)
    named[question[::-1]] = given[::-1]
    return named


def _notes(
    frame: pd.DataFrame, rows: Rows, k: Ints, named: NDArray[np.object_], measure: str | None
) -> NDArray[np.object_]:
    """Return why a question cannot be pooled, an empty text where it can."""
    notes = np.full(len(k), "", dtype=object)
    notes[k == 0] = _NOTHING
    for where, why in _faults(frame, rows):
        if where.any():
            hit = np.bincount(rows.question[where], minlength=len(k)) > 0
            notes[hit & (notes == "")] = why
    for name in sorted(set(named) - {measure}, key=str):
        if measure is not None or name not in MEASURES:
            why = _OTHER.format(name, measure) if measure else f"there is no measure {name!r}"
            notes[(named == name) & (notes == "")] = why
    return notes


def _warn(notes: NDArray[np.object_], k: Ints, left_out: Ints, got: Fit, good: Mask, shown: Mask) -> None:
    """Write what a reader must know on the questions that have it."""
    narrow, alike = np.zeros(len(k), dtype=bool), np.zeros(len(k), dtype=bool)
    narrow[good], alike[good] = got.narrow, np.isnan(got.numbers["se"])
    code = (np.minimum(k, _FEW + 1) * 2 + narrow) * 2 + alike
    for value in np.unique(code[shown]).tolist():
        said = _warnings(value // 4, 0, value % 4 > 1, value % 2 == 1)
        notes[shown & (code == value)] = "; ".join(said)
    for row in np.flatnonzero(shown & (left_out > 0)).tolist():
        notes[row] = "; ".join(_warnings(int(k[row]), int(left_out[row]), narrow[row], alike[row]))


def _framed(keys: pd.DataFrame, columns: dict[str, Any]) -> pd.DataFrame:
    """Return the questions as a frame: whole numbers whole, what is not defined empty."""
    for name in _WHOLE:
        values = np.asarray(columns[name], dtype=np.float64)
        empty = np.isnan(values)
        columns[name] = pd.arrays.IntegerArray(np.where(empty, 0, np.rint(values)).astype(np.int64), empty)
    return pd.DataFrame({**{name: keys[name] for name in keys.columns}, **columns})
