"""Whether small studies say something else than large ones: Egger's and rank tests, trim and fill."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from mesoevidence import linear_model, measures
from mesoevidence.linear_model import Array
from mesoevidence.pooled import Pooled
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.regression import coefficients

Predictor = Literal["sei", "vi", "ni", "ninv", "sqrtni", "sqrtninv"]
PREDICTORS: Mapping[str, tuple[str, Callable[[Array], Array]]] = MappingProxyType(
    {
        "sei": ("vi", np.sqrt),
        "vi": ("vi", np.asarray),
        "ni": ("ni", np.asarray),
        "ninv": ("ni", np.reciprocal),
        "sqrtni": ("ni", np.sqrt),
        "sqrtninv": ("ni", lambda n: 1 / np.sqrt(n)),
    }
)


@dataclass(frozen=True, repr=False)
class RegressionTest:
    """Egger's test or a variant of it.

    Attributes
    ----------
    model, predictor : str
        What was regressed on what.
    slope, se, statistic, df, p_value : float
        Of the predictor; `df` is None for a z.
    limit, limit_ci : float, tuple of float
        The effect of a study without error, where the predictor falls to 0 for it; else None.
    k, warnings : int, tuple of str
        Studies, and what a reader should know.
    """

    model: str
    predictor: str
    slope: float
    se: float
    statistic: float
    df: int | None
    p_value: float
    limit: float | None
    limit_ci: tuple[float, float] | None
    k: int
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the test as one row."""
        low, high = self.limit_ci or (None, None)
        named = ("model", "predictor", "slope", "se", "statistic", "df", "p_value", "limit")
        row = {name: getattr(self, name) for name in named}
        return pd.DataFrame([{**row, "limit_low": low, "limit_high": high, "k": self.k}])

    def summary(self) -> str:
        """Return the test in words and numbers."""
        kind = "z" if self.df is None else f"t({self.df})"
        lines = [
            f"Asymmetry of {self.k} studies, {self.model} on {self.predictor}",
            f"  {kind} = {self.statistic:.4f}, p {self.p_value:.4f}",
        ]
        if self.limit is not None and self.limit_ci is not None:
            low, high = self.limit_ci
            lines.append(f"  a study without error: {self.limit:.4f} ({low:.4f} to {high:.4f})")
        return "\n".join([*lines, *self.warnings])

    def __repr__(self) -> str:
        return f"<RegressionTest of {self.k} studies on {self.predictor}: p {self.p_value:.3f}>"


def regression_test(
    data: pd.DataFrame | Pooled,
    *,
    model: Literal["rma", "lm"] = "rma",
    predictor: Predictor = "sei",
    method: str | None = None,
    test: str | None = None,
    level: float | None = None,
) -> RegressionTest:
    """Test whether effects depend on the precision of the studies (funnel-plot asymmetry).

    Parameters
    ----------
    data : DataFrame or Pooled
        `yi`, `vi` or `sei`, and `ni` (or the counts it is the sum of) for the predictors of size.
    model : {"rma", "lm"}
        A meta-regression, or Egger's weighted regression with its multiplicative error.
    predictor : {"sei", "vi", "ni", "ninv", "sqrtni", "sqrtninv"}
        Standard error, variance, size, or the inverse and roots of the size.
    method, test, level
        As in `meta_regression`; the model `lm` has no tau2 and is tested by t.

    Returns
    -------
    RegressionTest
        The test and, where it has one, the limit estimate.

    Notes
    -----
    Egger et al. (1997), BMJ 315:629. The numbers are those of metafor's ``regtest()``.
    With fewer than ten studies the test says little (Sterne et al. 2011, BMJ 343:d4002).

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.2, 0.3, 0.6, 0.8], "sei": [0.1, 0.15, 0.3, 0.5]})
    >>> regression_test(frame, model="lm").limit < 0.2
    True
    """
    if model not in ("rma", "lm") or predictor not in PREDICTORS:
        raise EvidenceError(f"`model` is rma or lm, `predictor` one of {', '.join(PREDICTORS)}")
    method, test, level = linear_model.settings(data, method, test, level)
    column, shape = PREDICTORS[predictor]
    frame = linear_model.rows_of(data)
    if column == "ni" and (people := measures.participants(frame)) is not None:
        frame = frame.assign(ni=people)
    table = linear_model.study_table(frame, ["ni"] if column == "ni" else [])
    y, v = table["yi"].to_numpy(), table["vi"].to_numpy()
    given = table[column].to_numpy(dtype=float)
    if not bool((given > 0).all()):
        raise EvidenceError("`ni` must be above 0 in every study")
    x = np.column_stack([np.ones(len(y)), shape(given)])
    linear_model.check_design(x, [predictor])
    if model == "lm":
        solved = linear_model.least_squares(y, x, 1 / v)
        scale, test = solved.rss / (len(y) - 2), "t"
        if scale <= 1e-15:
            raise EvidenceError("the studies lie exactly on a line, so nothing is left to test with")
    else:
        solved, _, scale = linear_model.solve(y, v, x, method, test)
    df = None if test == "z" else len(y) - 2
    fit = coefficients(("intercept", predictor), solved.beta, scale * solved.inverse, df, level)
    parts = (fit.estimate, fit.se, fit.statistic, fit.p_value)
    slope, se, statistic, p_value = (part[1].item() for part in parts)
    limit = limit_ci = None
    if predictor not in ("ni", "sqrtni"):
        limit, limit_ci = fit.estimate[0].item(), (fit.ci[0, 0].item(), fit.ci[0, 1].item())
    few = ("with fewer than ten studies the test says little",) if len(y) < 10 else ()
    return RegressionTest(model, predictor, slope, se, statistic, df, p_value, limit, limit_ci, len(y), few)


@dataclass(frozen=True, repr=False)
class RankTest:
    """Begg and Mazumdar's rank correlation of effects and variances.

    Attributes
    ----------
    tau, p_value : float
        Kendall's tau-b and its p.
    exact : bool
        Whether p is exact; with ties it is that of the normal distribution.
    k : int
        Studies.
    """

    tau: float
    p_value: float
    exact: bool
    k: int

    def to_frame(self) -> pd.DataFrame:
        """Return the test as one row."""
        return pd.DataFrame([{"tau": self.tau, "p_value": self.p_value, "exact": self.exact, "k": self.k}])

    def summary(self) -> str:
        """Return the test in words and numbers."""
        return f"Rank correlation of {self.k} studies: tau {self.tau:.4f}, p {self.p_value:.4f}"

    def __repr__(self) -> str:
        return f"<RankTest of {self.k} studies: tau {self.tau:.3f}, p {self.p_value:.3f}>"


def rank_test(data: pd.DataFrame | Pooled) -> RankTest:
    """Correlate the ranks of standardised effects and of variances.

    Parameters
    ----------
    data : DataFrame or Pooled
        `yi`, `vi` or `sei`.

    Returns
    -------
    RankTest
        Kendall's tau with an exact p, or a normal one where ranks are tied. Fewer than three studies, or
        effects that are all alike, raise an EvidenceError.

    Notes
    -----
    Begg and Mazumdar (1994), Biometrics 50:1088. The numbers are those of metafor's ``ranktest()``.

    Examples
    --------
    >>> rank_test(pd.DataFrame({"yi": [0.1, 0.4, 0.6, 0.9], "vi": [0.01, 0.02, 0.04, 0.09]}))
    <RankTest of 4 studies: tau 1.000, p 0.083>
    """
    table = linear_model.study_table(data)
    y, v = _from_first(table)
    k = len(y)
    if k < 3:
        raise EvidenceError(f"a rank test needs at least three studies, there are {k}")
    w = 1 / v
    standard = (y - w @ y / w.sum()) / np.sqrt(v - 1 / w.sum())
    exact = len(np.unique(standard)) == len(np.unique(v)) == k
    found = kendalltau(standard, v, method="exact" if exact else "asymptotic")
    if not math.isfinite(found.statistic):
        raise EvidenceError("the studies agree or are equally precise, so there are no ranks to correlate")
    return RankTest(float(found.statistic), float(found.pvalue), exact, k)


def _from_first(table: pd.DataFrame) -> tuple[Array, Array]:
    """Return effects and variances, effects from the first one: equal effects are then exactly 0."""
    y, v = table["yi"].to_numpy(), table["vi"].to_numpy()
    return y - y[:1], v


@dataclass(frozen=True, eq=False, repr=False)
class TrimFill:
    """What the estimate would be if studies were missing on one side of the funnel.

    Attributes
    ----------
    side, estimator : str
        Where studies are missing, and by which rule they were counted.
    missing, missing_se : int, float
        How many, with the standard error of that number; None where its formula has no value.
    p_value : float or None
        Of the hypothesis that none is missing; for ``R0`` only.
    pooled : Pooled
        Studies seen and filled in, pooled.
    filled : DataFrame
        The studies that were filled in: `slab`, `yi`, `vi`.
    """

    side: str
    estimator: str
    missing: int
    missing_se: float | None
    p_value: float | None
    pooled: Pooled
    filled: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row a study, with `filled` telling those that were added."""
        studies = self.pooled.studies
        return studies.assign(filled=studies["slab"].isin(self.filled["slab"]))

    def summary(self) -> str:
        """Return how many studies were filled in, and the estimate with them."""
        error = "" if self.missing_se is None else f", standard error {self.missing_se:.2f}"
        filled = f"{self.missing} studies filled in on the {self.side} ({self.estimator}){error}"
        return f"{filled}\n{self.pooled.summary()}"

    def __repr__(self) -> str:
        return f"<TrimFill: {self.missing} on the {self.side}, estimate with them {self.pooled.estimate:.3f}>"


def trim_and_fill(
    data: pd.DataFrame | Pooled,
    *,
    side: Literal["left", "right"] | None = None,
    estimator: Literal["L0", "R0"] = "L0",
    method: str | None = None,
    test: str | None = None,
    level: float | None = None,
) -> TrimFill:
    """Count the studies that a symmetric funnel would still hold, and pool with them.

    Parameters
    ----------
    data : DataFrame or Pooled
        `yi`, `vi` or `sei`, labels in `slab`.
    side : {"left", "right"}, optional
        Where studies are missing; away from where small studies lie, when left out.
    estimator : {"L0", "R0"}
        How they are counted.
    method, test, level
        As in `pool`.

    Returns
    -------
    TrimFill
        The number filled in and the estimate with them: a sensitivity analysis, not a correction. Fewer than
        three studies raise an EvidenceError.

    Notes
    -----
    Duval and Tweedie (2000), Biometrics 56:455. The numbers are those of metafor's ``trimfill()``.

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.1, 0.12, 0.2, 0.5, 0.7, 0.9], "vi": [0.01, 0.01, 0.02, 0.1, 0.2, 0.3]})
    >>> trim_and_fill(frame, method="EE", test="z").side
    'left'
    """
    if side not in (None, "left", "right") or estimator not in ("L0", "R0"):
        raise EvidenceError("`side` is left or right, `estimator` L0 or R0")
    method, test, level = linear_model.settings(data, method, test, level)
    table = linear_model.study_table(data)
    y, v = _from_first(table)
    if len(y) < 3:
        raise EvidenceError(f"trim and fill needs at least three studies, there are {len(y)}")
    chosen = side or ("right" if _slope(y, v, method) < 0 else "left")
    sign = -1.0 if chosen == "right" else 1.0
    order = np.argsort(sign * y, kind="stable")
    centre, missing, missing_se = _trim(sign * y[order], v[order], method, estimator)
    tail, first = order[len(y) - missing :], table["yi"].to_numpy()[:1]
    names = [f"filled {number}" for number in range(1, missing + 1)]
    filled = pd.DataFrame({"slab": names, "yi": 2 * sign * centre - y[tail] + first, "vi": v[tail]})
    pooled = pool(pd.concat([table, filled], ignore_index=True), method=method, test=test, level=level)
    p_value = 0.5 ** (missing + 1) if estimator == "R0" else None
    return TrimFill(chosen, estimator, missing, missing_se, p_value, pooled, filled)


def _slope(y: Array, v: Array, method: str) -> float:
    if np.ptp(v) == 0:
        return 0.0
    x = np.column_stack([np.ones(len(y)), np.sqrt(v)])
    tau2 = linear_model.estimate_tau2(y, v, x, method)
    return float(linear_model.least_squares(y, x, 1 / (v + tau2)).beta[1])


def _trim(y: Array, v: Array, method: str, estimator: str) -> tuple[float, int, float | None]:
    """Return the trimmed centre of sorted effects, how many are missing below it, and the error of that."""
    k, missing = len(y), 0
    error: float | None
    ones = np.ones((k, 1))
    for _ in range(100):
        kept = slice(0, k - missing)
        tau2 = linear_model.estimate_tau2(y[kept], v[kept], ones[kept], method) if k - missing > 1 else 0.0
        centre = float(linear_model.least_squares(y[kept], ones[kept], 1 / (v[kept] + tau2)).beta[0])
        rank = np.empty(k)
        rank[np.argsort(np.abs(y - centre), kind="stable")] = np.arange(1, k + 1)
        signed = np.sign(y - centre) * rank
        if estimator == "R0":
            count = k - float(np.max(-signed[signed < 0], initial=0.0)) - 1 if (signed < 0).any() else -1.0
            error = math.sqrt(2 * max(0.0, count) + 2)
        else:
            count = (4 * float(signed[signed > 0].sum()) - k * (k + 1)) / (2 * k - 1)
            spread = _l0_variance(k, count)
            error = 4 * math.sqrt(spread) / (2 * k - 1) if spread >= 0 else None
        before, missing = missing, max(0, round(count))
        if missing == before:
            return centre, missing, error
    raise EvidenceError("trim and fill goes round in circles with these studies; try the other estimator")


def _l0_variance(k: int, count: float) -> float:
    """Return the variance of the rank sum (Duval and Tweedie 2000)."""
    even = k * (k + 1) * (2 * k + 1) + 10 * count**3 + 27 * count**2 + 17 * count
    return (even - 18 * k * count**2 - 18 * k * count + 6 * k**2 * count) / 24
