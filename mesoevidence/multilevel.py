"""Several results of one study: a model with results within studies, and cluster-robust variance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from mesoevidence.linear_model import Array, design, least_squares, modelled
from mesoevidence.problems import EvidenceError
from mesoevidence.regression import Coefficients, Regression, coefficients


@dataclass(frozen=True, eq=False, repr=False)
class TwoLevel:
    """Effects with a variance between studies and one between the results of a study.

    Attributes
    ----------
    coefficients : Coefficients
        Estimates, tests and intervals, and QM, the test that no moderator matters.
    tau2_between, tau2_within : float
        Variance between studies, and between the results of one study.
    i2_between, i2_within : float
        Percent of the total variance that each makes up, against a typical sampling variance.
    qe, qe_df, qe_p_value : float, int, float
        The test that the sampling variances explain everything.
    log_likelihood : float
        At the estimate; restricted with ``method="REML"``.
    k, clusters : int
        Results and studies.
    cluster, method, test, level : str, str, str, float
        The column of the study, and how the results were put together.
    studies : DataFrame
        Label, effect, variance, study and moderators of the results that went in.
    levels : mapping
        The moderators, each with its levels; none for numbers.
    """

    coefficients: Coefficients
    tau2_between: float
    tau2_within: float
    i2_between: float
    i2_within: float
    qe: float
    qe_df: int
    qe_p_value: float
    log_likelihood: float
    k: int
    clusters: int
    cluster: str
    method: str
    test: str
    level: float
    studies: pd.DataFrame
    levels: Mapping[str, tuple[str, ...]]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient."""
        return self.coefficients.to_frame()

    def summary(self) -> str:
        """Return the result in words and numbers."""
        return "\n".join(
            [
                f"{self.k} results of {self.clusters} studies ({self.method}, test {self.test})",
                self.coefficients.summary(),
                f"Between studies: tau2 {self.tau2_between:.4f}, I2 {self.i2_between:.1f} %",
                f"Within studies: tau2 {self.tau2_within:.4f}, I2 {self.i2_within:.1f} %",
            ]
        )

    def __repr__(self) -> str:
        return f"<TwoLevel model of {self.k} results of {self.clusters} studies: {self.coefficients}>"


def two_level(
    data: pd.DataFrame,
    cluster: str,
    moderators: str | Sequence[str] = (),
    *,
    method: Literal["REML", "ML"] = "REML",
    test: Literal["t", "z"] = "t",
    level: float = 0.95,
) -> TwoLevel:
    """Pool or regress results that lie within studies.

    Parameters
    ----------
    data : DataFrame
        One row a result: `yi`, `vi` or `sei`, the column `cluster` that names the study, and moderators.
    cluster : str
        The column of the study.
    moderators : str or sequence of str
        Columns, as in `meta_regression`.
    method : {"REML", "ML"}
        How the two variances are estimated.
    test : {"t", "z"}
        Tests and intervals; t has k - p degrees of freedom.
    level : float
        Level of the intervals.

    Returns
    -------
    TwoLevel
        Coefficients and the two variances.

    Raises
    ------
    EvidenceError
        When there are fewer than two studies, or none of them has several results.

    Notes
    -----
    Konstantopoulos (2011), Res Synth Methods 2:61; the numbers are those of metafor's
    ``rma.mv(random = ~ 1 | study/result)``. Sampling errors of one study are taken as independent; where
    persons are shared, follow with `cluster_robust`.

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.1, 0.3, 0.6, 0.9], "vi": [0.02] * 4, "study": ["a", "a", "b", "b"]})
    >>> two_level(frame, "study")
    <TwoLevel model of 4 results of 2 studies: intercept 0.475>
    """
    if method not in ("REML", "ML") or test not in ("t", "z"):
        raise EvidenceError("`method` is REML or ML, `test` is t or z")
    table, levels, x, terms = modelled(data, moderators, [cluster])
    y, v, same = table["yi"].to_numpy(), table["vi"].to_numpy(), _same(table[cluster])
    clusters = table[cluster].nunique()
    if not 1 < clusters < len(table):
        raise EvidenceError(f"`{cluster}` must name at least two studies, one of them with several results")
    k, p = x.shape
    variances = _two_variances(y, v, x, same, restricted=method == "REML")
    at = _gls(y, x, _marginal(v, same, variances))
    fixed = least_squares(y, x, 1 / v)
    shares = 100 * variances / (variances.sum() + (k - p) / fixed.trace())
    return TwoLevel(
        coefficients(terms, at.beta, at.inverse, None if test == "z" else k - p, level),
        float(variances[0]), float(variances[1]), float(shares[0]), float(shares[1]),
        qe=fixed.rss, qe_df=k - p, qe_p_value=float(chdtrc(k - p, fixed.rss)),
        log_likelihood=at.log_likelihood(restricted=method == "REML"), k=k, clusters=clusters,
        cluster=cluster, method=method, test=test, level=level, studies=table, levels=levels,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Gls:
    """Generalised least squares under one marginal covariance."""

    beta: Array
    inverse: Array  # (X'M^-1X)^-1
    precision: Array  # M^-1
    projection: Array  # P = M^-1 - M^-1 X (X'M^-1X)^-1 X'M^-1
    y: Array
    x: Array

    @property
    def half(self) -> Array:
        """(X'M^-1X)^-1 X'M^-1, which takes effects to coefficients."""
        return self.inverse @ self.x.T @ self.precision

    @property
    def residual(self) -> Array:
        """What the fit leaves of each effect."""
        return self.y - self.x @ self.beta

    def log_likelihood(self, *, restricted: bool) -> float:
        k, p = self.x.shape
        spread = -np.linalg.slogdet(self.precision)[1]
        ll = -0.5 * (k * np.log(2 * np.pi) + spread + self.y @ self.projection @ self.y)
        if restricted:
            own = np.linalg.slogdet(self.x.T @ self.x)[1] + np.linalg.slogdet(self.inverse)[1]
            ll += 0.5 * (p * np.log(2 * np.pi) + own)
        return float(ll)


def _same(cluster: "pd.Series[str]") -> Array:
    """Return 1 where two results are of one study, else 0."""
    codes, _ = pd.factorize(cluster)
    return np.asarray(codes[:, None] == codes[None, :], dtype=float)


def _marginal(v: Array, same: Array, variances: Array) -> Array:
    return np.asarray(np.diag(v + variances[1]) + variances[0] * same)


def _gls(y: Array, x: Array, marginal: Array) -> _Gls:
    precision: Array = np.linalg.inv(marginal).astype(np.float64)
    weighted = precision @ x
    inverse: Array = np.linalg.inv(x.T @ weighted).astype(np.float64)
    projection = precision - weighted @ inverse @ weighted.T
    return _Gls(inverse @ (weighted.T @ y), inverse, precision, projection, y, x)


def _two_variances(y: Array, v: Array, x: Array, same: Array, *, restricted: bool) -> Array:
    """Return the variances between and within: Fisher scoring, halved until the likelihood rises."""
    parts = (same, np.eye(len(y)))
    variances = np.full(2, max(float(np.var(y)) - float(v.mean()), float(v.mean())) / 2)
    at = _gls(y, x, _marginal(v, same, variances))
    for _ in range(500):
        p = at.projection
        moved = [p @ part for part in parts]
        base = moved if restricted else [at.precision @ part for part in parts]
        score = np.array([y @ half @ p @ y - np.trace(own) for half, own in zip(moved, base, strict=True)])
        information = np.array([[np.sum(a * b.T) for b in base] for a in base])
        free = (variances > 0) | (score > 0)
        step = np.zeros(2)
        if free.any():
            step[free] = np.linalg.lstsq(information[np.ix_(free, free)], score[free])[0]
        best, before = at, at.log_likelihood(restricted=restricted)
        for halving in range(60):
            new = np.maximum(variances + step / 2**halving, 0.0)
            best = _gls(y, x, _marginal(v, same, new))
            if best.log_likelihood(restricted=restricted) >= before - 1e-12 * (1 + abs(before)):
                break
        done = bool((np.abs(new - variances) <= 1e-12 * (new + v.min())).all())
        variances, at = new, best
        if done:
            break
    return variances


# Cluster-robust variance -------------------------------------------------------------------------


def cluster_robust(
    fit: Regression | TwoLevel,
    cluster: "str | Sequence[object] | None" = None,
    *,
    kind: Literal["CR2", "CR1", "CR0"] = "CR2",
) -> Coefficients:
    """Return a fit's coefficients with errors that hold whatever the results of one cluster share.

    Parameters
    ----------
    fit : Regression or TwoLevel
        What `meta_regression` or `two_level` returned.
    cluster : str or sequence
        A column of ``fit.studies``, or a name for each of its rows; of a TwoLevel its own by default.
    kind : {"CR2", "CR1", "CR0"}
        CR2 corrects the bias of few clusters and takes Satterthwaite's degrees of freedom, one for each
        coefficient; CR1 multiplies CR0 by m / (m - p) and has m - p.

    Returns
    -------
    Coefficients
        The same estimates; QM only with CR0 and CR1.

    Raises
    ------
    EvidenceError
        When there are not more clusters than coefficients, or `cluster` does not name one for each result.

    Notes
    -----
    Hedges, Tipton and Johnson (2010), Res Synth Methods 1:39; Pustejovsky and Tipton (2018), J Bus Econ Stat
    36:672. The numbers are those of metafor's ``robust()``: CR0 and CR1 with ``adjust = FALSE`` and ``TRUE``
    (clubSandwich calls that CR1p), CR2 with ``clubSandwich = TRUE``.

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.1, 0.3, 0.6, 0.9], "vi": [0.02] * 4, "study": ["a", "a", "b", "b"]})
    >>> cluster_robust(two_level(frame, "study")).df
    array([1.])
    """
    if not isinstance(fit, Regression | TwoLevel):
        raise EvidenceError(
            f"give what `meta_regression` or `two_level` returns, and not {type(fit).__name__}"
        )
    if kind not in ("CR2", "CR1", "CR0"):
        raise EvidenceError("`kind` is CR2, CR1 or CR0")
    named = getattr(fit, "cluster", None) if cluster is None else cluster
    if named is None:
        raise EvidenceError("say which results belong together: `cluster` is a column or a sequence")
    if isinstance(named, str) and named not in fit.studies:
        raise EvidenceError(f"there is no column `{named}`; give the clusters as a sequence")
    column = fit.studies[named] if isinstance(named, str) else pd.Series(list(named))
    if len(column) != fit.k or bool(column.isna().any()):
        raise EvidenceError(f"`cluster` must name a cluster for each of the {fit.k} results")
    codes, labels = pd.factorize(column)
    x, terms = design(fit.studies, fit.levels)
    m, p = len(labels), x.shape[1]
    if m <= p:
        raise EvidenceError(f"{p} coefficients need at least {p + 1} clusters, there are {m}")
    y, v = fit.studies["yi"].to_numpy(), fit.studies["vi"].to_numpy()
    marginal = np.diag(v + fit.tau2) if isinstance(fit, Regression) else _marginal_of(fit, v)
    at = _gls(y, x, marginal)
    members = [np.flatnonzero(codes == number) for number in range(m)]
    if kind == "CR2":
        vcov, df = _cr2(at, marginal, members)
        return coefficients(terms, at.beta, vcov, df, fit.level)
    half, residual = at.half, at.residual
    scores = np.column_stack([half[:, rows] @ residual[rows] for rows in members])
    vcov = scores @ scores.T * (m / (m - p) if kind == "CR1" else 1)
    return coefficients(terms, at.beta, vcov, m - p, fit.level)


def _marginal_of(fit: TwoLevel, v: Array) -> Array:
    return _marginal(v, _same(fit.studies[fit.cluster]), np.array([fit.tau2_between, fit.tau2_within]))


def _cr2(at: _Gls, marginal: Array, members: list[NDArray[np.intp]]) -> tuple[Array, Array]:
    """Return the bias-reduced covariance and Satterthwaite's degrees of freedom."""
    k, p = at.x.shape
    half, residual = at.half, at.residual
    keep = np.eye(k) - at.x @ half
    error = keep @ marginal @ keep.T
    scores = np.empty((p, len(members)))
    pulls = np.empty((len(members), p, k))
    for number, rows in enumerate(members):
        block = np.ix_(rows, rows)
        root = np.linalg.cholesky(marginal[block])
        values, vectors = np.linalg.eigh(root.T @ error[block] @ root)
        inverse_root = np.where(values > 1e-10 * values.max(), values.clip(1e-300) ** -0.5, 0.0)
        adjust = root @ (vectors * inverse_root) @ vectors.T @ root.T
        pull = half[:, rows] @ adjust
        scores[:, number] = pull @ residual[rows]
        pulls[number] = pull @ keep[rows]
    df = np.empty(p)
    for term in range(p):
        product = pulls[:, term] @ marginal @ pulls[:, term].T
        df[term] = np.trace(product) ** 2 / (product**2).sum()
    return scores @ scores.T, df
