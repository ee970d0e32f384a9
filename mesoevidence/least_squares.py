"""Effects fitted to moderators by weighted least squares, and the tau2 that the moderators leave over."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from mesoevidence.problems import EvidenceError

Array: TypeAlias = NDArray[np.float64]


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
        return _by_scoring(y, v, x, restricted=method == "REML")
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
        return float(max(0.0, (fixed.rss - (k - p)) / fixed.trace()))
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


def _by_scoring(y: Array, v: Array, x: Array, *, restricted: bool) -> float:
    """Solve the score equation by Fisher steps that cannot leave the bracket of its sign change."""
    low, high = 0.0, np.inf
    tau2 = estimate_tau2(y, v, x, "HE")
    for _ in range(500):
        at = least_squares(y, x, 1 / (v + tau2))
        trace = at.trace() if restricted else float(at.w.sum())
        information = at.trace_squared() if restricted else float((at.w**2).sum())
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
        raise EvidenceError(
            "the studies lie exactly on the fit, so nothing is left to test with; use test='z'"
        )
    return solved, tau2, scale if test == "knha" else max(1.0, scale)


def critical(level: float, df: float | Array | None) -> float | Array:
    """Return the two-sided critical value of z (df None) or t."""
    return float(ndtri(0.5 + level / 2)) if df is None else np.asarray(stdtrit(df, 0.5 + level / 2))


def two_sided(statistic: Array, df: float | Array | None) -> Array:
    """Return the two-sided p of z (df None) or t."""
    return np.asarray(2 * (ndtr(-np.abs(statistic)) if df is None else stdtr(df, -np.abs(statistic))))
