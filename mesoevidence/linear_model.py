"""The linear model of effects on moderators: studies in, the weighted fit, and the tau2 it leaves over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from mesoevidence import measures
from mesoevidence.heterogeneity import METHODS
from mesoevidence.pooled import Pooled
from mesoevidence.pooling import TESTS
from mesoevidence.problems import EvidenceError

Array: TypeAlias = NDArray[np.float64]

_TINY = 1e-50  # as in `pool`: what is squared and cubed below must stay a float
_SPREAD = 1e10  # of the variances: beyond it the large studies alone fill the digits of a sum
_PRECISE = 1e12  # standard errors in one effect: beyond it residuals are rounding noise


# The studies that go in --------------------------------------------------------------------------


def rows_of(data: pd.DataFrame | Pooled) -> pd.DataFrame:
    """Return the studies of a frame or of a pooled result, or say that it is neither."""
    frame = data.studies if isinstance(data, Pooled) else data
    if not isinstance(frame, pd.DataFrame):
        kind = type(data).__name__
        raise EvidenceError(f"give a DataFrame of studies, or what `pool` returns, and not {kind}")
    return frame


def study_table(data: pd.DataFrame | Pooled, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Return label, effect and variance of each complete study, with the further columns asked for.

    Parameters
    ----------
    data : DataFrame or Pooled
        A frame with `yi`, and `vi`, `sei`, an interval or p; labels in `slab`. Of a pooled result, its own.
    columns : iterable of str
        Columns that must be there too; a study with an empty cell is left out.

    Returns
    -------
    DataFrame
        Columns `slab`, `yi`, `vi` and those asked for.

    >>> frame = pd.DataFrame({"yi": [0.1, 0.4], "sei": [0.2, 0.1], "year": [1950, None]})
    >>> study_table(frame, ["year"])["slab"].to_list()
    ['study 1']
    """
    frame = rows_of(data)
    wanted = list(dict.fromkeys(columns))
    if missing := [name for name in wanted if name not in frame]:
        shown = ", ".join(map(str, frame.columns))
        raise EvidenceError(f"there is no column `{missing[0]}`; the columns are {shown}")
    yi, vi = measures.estimates(frame).values()
    if len(vi) and np.isnan(vi).all():
        raise EvidenceError("no effect has a variance; give `vi` or `sei` beside `yi`")
    default = [f"study {number}" for number in range(1, len(frame) + 1)]
    slab = frame["slab"].astype(str).to_list() if "slab" in frame else default
    table = pd.DataFrame({"slab": slab, "yi": yi, "vi": vi})
    for name in wanted:
        table[name] = frame[name].array
    table = table[table[["yi", "vi", *wanted]].notna().all(axis=1)].reset_index(drop=True)
    if not bool(np.isfinite(table[["yi", "vi"]].to_numpy()).all()) or not bool((table["vi"] > 0).all()):
        raise EvidenceError("every effect must be finite and every variance above 0; leave other studies out")
    _check_span(table, wanted)
    return table


def _check_span(table: pd.DataFrame, wanted: Sequence[str]) -> None:
    """Refuse numbers that no sum of squares can hold together in double precision."""
    v, effects = table["vi"].to_numpy(), np.abs(table["yi"].to_numpy())
    moderators = table[wanted].select_dtypes("number").abs().to_numpy(dtype=np.float64, na_value=0.0)
    largest = np.concatenate([effects, moderators.ravel(), v]).max(initial=0.0)
    if largest > 1 / _TINY or v.min(initial=1.0) < _TINY:
        raise EvidenceError("a number is beyond 1e50 or a variance below 1e-50; use another unit")
    if len(v) and (v.max() > _SPREAD * v.min() or effects.max() > _PRECISE * np.sqrt(v.min())):
        raise EvidenceError("the effects and variances span more orders of magnitude than can be fitted")


def design(table: pd.DataFrame, levels: Mapping[str, Sequence[str]]) -> tuple[Array, tuple[str, ...]]:
    """Return the model matrix and its terms: numbers as they are, words against their first level."""
    columns: list[Array] = [np.ones(len(table))]
    terms = ["intercept"]
    for name, words in levels.items():
        if not words:
            columns.append(table[name].to_numpy(dtype=float))
            terms.append(name)
            continue
        given = table[name].astype(str)
        if strange := sorted(set(given) - set(words)):
            raise EvidenceError(f"`{name}` has no level {strange[0]!r}; it has {', '.join(words)}")
        columns += [(given == word).to_numpy().astype(np.float64) for word in words[1:]]
        terms += [f"{name}: {word}" for word in words[1:]]
    return np.column_stack(columns), tuple(terms)


def levels_of(table: pd.DataFrame, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the levels of each column of words, in its own or in sorted order; none for numbers."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            found[name] = tuple(str(word) for word in column.cat.categories if (column == word).any())
        elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            found[name] = ()
        else:
            found[name] = tuple(sorted(set(column.astype(str))))
    return found


def settings(
    data: pd.DataFrame | Pooled, method: str | None, test: str | None, level: float | None
) -> tuple[str, str, float]:
    """Return how to pool: as asked, else as a pooled result was, else REML with Knapp and Hartung."""
    own = (data.method, data.test, data.level) if isinstance(data, Pooled) else ("REML", "knha", 0.95)
    method, test, level = method or own[0], test or own[1], level or own[2]
    if method not in METHODS or test not in TESTS:
        raise EvidenceError(f"`method` is one of {', '.join(METHODS)}, `test` one of {', '.join(TESTS)}")
    if not 0 < level < 1:
        raise EvidenceError(f"`level` lies between 0 and 1, such as 0.95, not {level}")
    return method, test, level


def modelled(
    data: pd.DataFrame | Pooled, moderators: str | Sequence[str], also: Sequence[str] = ()
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]], Array, tuple[str, ...]]:
    """Return the studies that have every moderator, the levels of these, the model matrix and its terms."""
    names = [moderators] if isinstance(moderators, str) else list(moderators)
    table = study_table(data, [*also, *names])
    levels = levels_of(table, names)
    x, terms = design(table, levels)
    check_design(x, names)
    return table, levels, x, terms


def check_design(x: Array, names: Sequence[str]) -> None:
    """Refuse more coefficients than the studies can bear, and moderators that repeat each other."""
    k, p = x.shape
    if k <= p:
        raise EvidenceError(f"{p} coefficients need at least {p + 1} complete studies, there are {k}")
    if np.linalg.matrix_rank(x / np.linalg.norm(x, axis=0).clip(1e-300)) < p:
        raise EvidenceError(f"the moderators {', '.join(names)} repeat each other or do not vary; drop one")


# Weighted least squares --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Solved:
    """Weighted least squares at one tau2: what every estimator and every test is made of."""

    beta: Array
    inverse: Array  # (X'WX)^-1
    residual: Array
    w: Array
    x: Array

    @property
    def rss(self) -> float:
        """y'Py, the weighted residual sum of squares."""
        return float(self.w @ self.residual**2)

    def trace(self) -> float:
        """tr(P) of P = W - WX(X'WX)^-1 X'W."""
        return float(self.w.sum() - np.trace(self.inverse @ self.moment(2)))

    def trace_squared(self) -> float:
        """tr(PP)."""
        second = self.inverse @ self.moment(2)
        third = np.trace(self.inverse @ self.moment(3))
        return float((self.w**2).sum() - 2 * third + np.trace(second @ second))

    def moment(self, power: int) -> Array:
        """X' W^power X."""
        return np.asarray(self.x.T @ (self.x * (self.w**power)[:, None]))

    def hat(self) -> Array:
        """The diagonal of the hat matrix X(X'WX)^-1 X'W."""
        return np.asarray(np.einsum("ij,jk,ik->i", self.x, self.inverse, self.x) * self.w)


def least_squares(y: Array, x: Array, w: Array) -> Solved:
    """Return the weighted fit, by QR so that moderators far from 0 cost no digits."""
    root = np.sqrt(w)
    q, r = np.linalg.qr(x * root[:, None])
    half = np.linalg.inv(r)
    beta = half @ (q.T @ (y * root))
    return Solved(beta, half @ half.T, y - x @ beta, w, x)


def estimate_tau2(y: Array, v: Array, x: Array, method: str) -> float:
    """Return the residual heterogeneity variance (Viechtbauer 2005; Veroniki et al. 2016), never below 0."""
    k, p = x.shape
    if method == "EE":
        return 0.0
    if method in ("ML", "REML"):
        tau2 = _by_scoring(y, v, x, restricted=method == "REML")
        zero, there = (_log_likelihood(y, v, x, at, restricted=method == "REML") for at in (0.0, tau2))
        return 0.0 if zero > there else tau2
    if method in ("EB", "PM"):
        return _by_balance(y, v, x)
    if method == "SJ":
        start = float(np.var(y))
        return float(start * least_squares(y, x, 1 / (v + start)).rss / (k - p)) if start > 0 else 0.0
    if method == "HE":
        flat = least_squares(y, x, np.ones(k))
        return float(max(0.0, (flat.rss - (1 - flat.hat()) @ v) / (k - p)))
    fixed = least_squares(y, x, 1 / v)
    if method == "DL":
        return float(max(0.0, (fixed.rss - (k - p)) / fixed.trace())) if fixed.rss > k - p else 0.0
    return float(max(0.0, (fixed.rss - k) / fixed.w.sum()))  # HS


def _by_balance(y: Array, v: Array, x: Array) -> float:
    """Solve y'Py = k - p; the left side is convex and falls, so Newton from 0 climbs to the root."""
    k, p = x.shape
    tau2 = 0.0
    for _ in range(200):
        at = least_squares(y, x, 1 / (v + tau2))
        step = (at.rss - (k - p)) / (float(((at.w * at.residual) ** 2).sum()) or 1.0)
        if step <= 1e-15 * tau2:
            break
        tau2 += step
    return tau2


def _log_likelihood(y: Array, v: Array, x: Array, tau2: float, *, restricted: bool) -> float:
    """Return twice the (restricted) log-likelihood, but for a constant."""
    at = least_squares(y, x, 1 / (v + tau2))
    spread = float(np.log(v + tau2).sum()) + at.rss
    return float(np.linalg.slogdet(at.inverse)[1]) - spread if restricted else -spread


def _by_scoring(y: Array, v: Array, x: Array, *, restricted: bool) -> float:
    """Solve the score equation by Fisher steps that cannot leave the bracket of its sign change."""
    low, high = 0.0, np.inf
    tau2 = estimate_tau2(y, v, x, "HE")
    for _ in range(500):
        at = least_squares(y, x, 1 / (v + tau2))
        trace = at.trace() if restricted else float(at.w.sum())
        information = at.trace_squared() if restricted else float((at.w**2).sum())
        if not min(trace, information) > 0:
            why = "one study weighs so much more than the others that no fit is left"
            raise EvidenceError(f"{why}; leave it out")
        step = (float(((at.w * at.residual) ** 2).sum()) - trace) / information
        if step > 0:
            low = tau2
        elif tau2 == 0:
            return 0.0
        else:
            high = tau2
        new = max(tau2 + step, 0.0)
        if new >= high or (new <= low and low > 0):
            new = (low + high) / 2
        if abs(new - tau2) <= 1e-14 * new:
            return new
        tau2 = new
    return tau2


def solve(y: Array, v: Array, x: Array, method: str, test: str) -> tuple[Solved, float, float]:
    """Return the weighted fit at the estimated tau2, that tau2, and the scale of Knapp and Hartung."""
    tau2 = estimate_tau2(y, v, x, method)
    solved = least_squares(y, x, 1 / (v + tau2))
    if test not in ("knha", "adhoc"):
        return solved, tau2, 1.0
    scale = solved.rss / (len(y) - x.shape[1])
    if test == "knha" and scale <= 1e-15:
        why = "the studies lie exactly on the fit, so nothing is left to test with"
        raise EvidenceError(f"{why}; use test='z'")
    return solved, tau2, scale if test == "knha" else max(1.0, scale)


def critical(level: float, df: float | Array | None) -> float | Array:
    """Return the two-sided critical value of z (df None) or t."""
    return float(ndtri(0.5 + level / 2)) if df is None else np.asarray(stdtrit(df, 0.5 + level / 2))


def two_sided(statistic: Array, df: float | Array | None) -> Array:
    """Return the two-sided p of z (df None) or t."""
    return np.asarray(2 * (ndtr(-np.abs(statistic)) if df is None else stdtr(df, -np.abs(statistic))))
