"""Effects of studies explained by what the studies differ in: meta-regression and subgroups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc

from mesoevidence import linear_model
from mesoevidence.linear_model import Array
from mesoevidence.pooled import Pooled
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError


@dataclass(frozen=True, eq=False, repr=False)
class Coefficients:
    """Coefficients with their errors and tests.

    Attributes
    ----------
    terms : tuple of str
        Their names, the intercept first.
    estimate, se, statistic, p_value, ci : array
        One entry a coefficient; `ci` has a row (lower, upper) for each.
    df : float or array or None
        Degrees of freedom of the t statistics; None where they are z.
    vcov : array
        Their covariance.
    qm, qm_df, qm_p_value : float, tuple, float
        The test that no moderator matters, chi-squared or F; None without moderators.
    """

    terms: tuple[str, ...]
    estimate: Array
    se: Array
    ci: Array
    statistic: Array
    p_value: Array
    df: int | Array | None
    vcov: Array
    qm: float | None
    qm_df: tuple[int, int | None] | None
    qm_p_value: float | None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient."""
        tests = {"statistic": self.statistic, "p_value": self.p_value}
        limits = {"ci_low": self.ci[:, 0], "ci_high": self.ci[:, 1]}
        return pd.DataFrame({"term": self.terms, "estimate": self.estimate, "se": self.se, **tests, **limits})

    def summary(self) -> str:
        """Return the coefficients in words and numbers."""
        lines = []
        for term, mean, (low, high) in zip(self.terms, self.estimate, self.ci, strict=True):
            lines.append(f"  {term}: {mean:.4f} ({low:.4f} to {high:.4f})")
        if self.qm_df is not None:
            df = ", ".join(str(number) for number in self.qm_df if number is not None)
            lines.append(f"Moderators: QM {self.qm:.2f} (df {df}), p {self.qm_p_value:.4f}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return ", ".join(f"{term} {mean:.3f}" for term, mean in zip(self.terms, self.estimate, strict=True))


def coefficients(
    terms: tuple[str, ...], beta: Array, vcov: Array, df: int | Array | None, level: float
) -> Coefficients:
    """Return the tests and intervals of coefficients with this covariance."""
    se = np.sqrt(np.diag(vcov))
    half, statistic, m = linear_model.critical(level, df) * se, beta / se, len(beta) - 1
    qm = qm_df = qm_p = None
    if m and not isinstance(df, np.ndarray):
        qm = float(beta[1:] @ np.linalg.solve(vcov[1:, 1:], beta[1:])) / (1 if df is None else m)
        qm_df, qm_p = (m, df), float(chdtrc(m, qm) if df is None else fdtrc(m, df, qm))
    ci, p = np.column_stack([beta - half, beta + half]), linear_model.two_sided(statistic, df)
    return Coefficients(terms, beta, se, ci, statistic, p, df, vcov, qm, qm_df, qm_p)


@dataclass(frozen=True, eq=False, repr=False)
class Regression:
    """What moderators explain of the effects.

    Attributes
    ----------
    coefficients : Coefficients
        Estimates, tests and intervals, and QM, the test that no moderator matters.
    qe, qe_df, qe_p_value : float, int, float
        The test of residual heterogeneity.
    tau2, i2, h2 : float
        Residual heterogeneity; `i2` in percent.
    r2 : float or None
        Percent of tau2 that the moderators explain; None where there is no tau2 to explain.
    k, method, test, level : int, str, str, float
        How many studies, and how they were regressed.
    studies : DataFrame
        Label, effect, variance and moderators of the studies that went in.
    levels : mapping
        The moderators, each with its levels; none for numbers.
    warnings : tuple of str
        What a reader should know.
    """

    coefficients: Coefficients
    qe: float
    qe_df: int
    qe_p_value: float
    tau2: float
    i2: float
    h2: float
    r2: float | None
    k: int
    method: str
    test: str
    level: float
    studies: pd.DataFrame
    levels: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient."""
        return self.coefficients.to_frame()

    def predict(self, new: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the expected effect at each row of moderators, with its intervals.

        Parameters
        ----------
        new : DataFrame, optional
            A column for each moderator; the studies themselves when left out.
        """
        frame = self.studies if new is None else new
        if missing := [name for name in self.levels if name not in frame]:
            raise EvidenceError(f"there is no column `{missing[0]}` to predict from")
        x, _ = linear_model.design(frame, self.levels)
        fit = self.coefficients
        mean, se = x @ fit.estimate, np.sqrt(np.einsum("ij,jk,ik->i", x, fit.vcov, x))
        crit, wide = linear_model.critical(self.level, fit.df), np.sqrt(se**2 + self.tau2)
        columns = {"estimate": mean, "se": se, "ci_low": mean - crit * se, "ci_high": mean + crit * se}
        limits = {"prediction_low": mean - crit * wide, "prediction_high": mean + crit * wide}
        return pd.DataFrame({**columns, **limits}, index=frame.index)

    def summary(self) -> str:
        """Return the result in words and numbers."""
        explained = "" if self.r2 is None else f", R2 {self.r2:.1f} %"
        lines = [
            f"Meta-regression of {self.k} studies ({self.method}, test {self.test})",
            self.coefficients.summary(),
            f"Residual: QE {self.qe:.2f} (df {self.qe_df}), p {self.qe_p_value:.4f}",
            f"tau2 {self.tau2:.4f}, I2 {self.i2:.1f} %{explained}",
        ]
        return "\n".join([*lines, *self.warnings])

    def __repr__(self) -> str:
        return f"<Regression of {self.k} studies: {self.coefficients}>"


def meta_regression(
    data: pd.DataFrame | Pooled,
    moderators: str | Sequence[str] = (),
    *,
    method: str | None = None,
    test: str | None = None,
    level: float | None = None,
) -> Regression:
    """Regress the effects of studies on their moderators, with residual heterogeneity.

    Parameters
    ----------
    data : DataFrame or Pooled
        `yi`, `vi` or `sei`, labels in `slab`, and a column for each moderator.
    moderators : str or sequence of str
        Columns; numbers enter as they are, words as differences from their first level.
    method : {"REML", "EE", "DL", "HE", "HS", "SJ", "ML", "EB", "PM"}, optional
        Estimator of the residual tau2; that of a pooled result, else REML.
    test : {"knha", "z", "t", "adhoc"}, optional
        Tests and intervals, in metafor's sense; those of a pooled result, else knha.
    level : float, optional
        Level of the intervals; that of a pooled result, else 0.95.

    Returns
    -------
    Regression
        Coefficients, tests and heterogeneity, and `predict`.

    Raises
    ------
    EvidenceError
        When a column is missing, there are not more studies than coefficients, or moderators repeat each
        other.

    Notes
    -----
    The mixed-effects model of Raudenbush (2009) with the estimators of Viechtbauer (2005) and the tests of
    Knapp and Hartung (2003); R2 after Raudenbush. The numbers are those of metafor's ``rma(mods = )``.

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.9, 0.5, 0.2, 0.1], "vi": [0.1, 0.1, 0.1, 0.1], "dose": [4, 3, 2, 1]})
    >>> fit = meta_regression(frame, "dose", method="EE", test="z")
    >>> print(f"{fit.coefficients.estimate[1]:.2f} per unit of dose, QE {fit.qe:.2f}")
    0.27 per unit of dose, QE 0.23
    """
    method, test, level = linear_model.settings(data, method, test, level)
    table, levels, x, terms = linear_model.modelled(data, moderators)
    given = len(linear_model.rows_of(data))
    left_out = f"{given - len(table)} of {given} studies have an empty cell and are left out"
    solved, tau2, scale = linear_model.solve(table["yi"].to_numpy(), table["vi"].to_numpy(), x, method, test)
    df = None if test == "z" else len(table) - len(terms)
    return Regression(
        coefficients(terms, solved.beta, scale * solved.inverse, df, level),
        **_residual(table, x, tau2, method), tau2=tau2, r2=_explained(table, x, tau2, method), k=len(table),
        method=method, test=test, level=level, studies=table, levels=levels,
        warnings=(left_out,) if given > len(table) else (),
    )  # fmt: skip


def _residual(table: pd.DataFrame, x: Array, tau2: float, method: str) -> dict[str, Any]:
    """Return QE with its p, I2 and H2 (Higgins and Thompson 2002, from tau2 and the typical variance)."""
    df = x.shape[0] - x.shape[1]
    fixed = linear_model.least_squares(table["yi"].to_numpy(), x, 1 / table["vi"].to_numpy())
    qe, typical = fixed.rss, df / fixed.trace()
    i2 = 100 * tau2 / (typical + tau2) if method != "EE" else max(0.0, 100 * (1 - df / qe)) if qe else 0.0
    h2 = tau2 / typical + 1 if method != "EE" else qe / df
    return {"qe": qe, "qe_df": df, "qe_p_value": float(chdtrc(df, qe)), "i2": i2, "h2": h2}


def _explained(table: pd.DataFrame, x: Array, tau2: float, method: str) -> float | None:
    """Return the percent of tau2 (of the weighted variance with ``EE``) that the moderators explain."""
    k, p = x.shape
    if p == 1:
        return None
    y, v, ones = table["yi"].to_numpy(), table["vi"].to_numpy(), np.ones((k, 1))
    if method == "EE":
        whole, rest = (linear_model.least_squares(y, matrix, 1 / v).rss for matrix in (ones, x))
        return max(0.0, 100 * (1 - (rest / (k - p)) / (whole / (k - 1)))) if whole > 0 else None
    whole = linear_model.estimate_tau2(y, v, ones, method)
    return max(0.0, 100 * (1 - tau2 / whole)) if whole > 0 else None


# Subgroups ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Subgroups:
    """Estimates of subgroups, and the test that they do not differ.

    Attributes
    ----------
    table : DataFrame
        One row a subgroup; with separate tau2 the columns of ``pool(by = )``.
    by, tau2 : str
        The column of the subgroups; whether tau2 is `separate` or `common`.
    q, q_df, q_p_value : float, tuple, float
        The test between subgroups: chi-squared, or F with a common tau2 and another test than z.
    """

    table: pd.DataFrame
    by: str
    tau2: str
    q: float
    q_df: tuple[int, int | None]
    q_p_value: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a subgroup."""
        return self.table.copy()

    def summary(self) -> str:
        """Return the estimates and the test in words and numbers."""
        columns = self.table[[self.by, "estimate", "ci_low", "ci_high", "k"]].itertuples(index=False)
        shown = [f"  {name}: {m:.4f} ({low:.4f} to {high:.4f}), k = {k}" for name, m, low, high, k in columns]
        df = ", ".join(str(number) for number in self.q_df if number is not None)
        test = f"Between them: Q {self.q:.2f} (df {df}), p {self.q_p_value:.4f}"
        return "\n".join([f"Subgroups by {self.by}, {self.tau2} tau2", *shown, test])

    def __repr__(self) -> str:
        return f"<Subgroups by {self.by}: {len(self.table)}, p between them {self.q_p_value:.3f}>"


def subgroups(
    data: pd.DataFrame,
    by: str,
    *,
    tau2: Literal["separate", "common"] = "separate",
    method: str | None = None,
    test: str | None = None,
    level: float | None = None,
) -> Subgroups:
    """Pool each subgroup of studies, and test whether the subgroups differ.

    Parameters
    ----------
    data : DataFrame
        `yi`, `vi` or `sei`, and the column `by`.
    by : str
        The column that names the subgroup.
    tau2 : {"separate", "common"}
        A heterogeneity of its own for each subgroup, or one for all, as in `meta_regression`.
    method, test, level
        As in `pool`.

    Returns
    -------
    Subgroups
        The table and the test.

    Raises
    ------
    EvidenceError
        When there is no such column, or it has one value only.

    Notes
    -----
    Borenstein and Higgins (2013), Prev Sci 14:134. Separate: Q = sum of w (m - mean)^2 over the subgroups'
    estimates m with w = 1 / se^2. Common: QM of the meta-regression on the subgroups.

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.1, 0.2, 0.8, 0.7], "vi": [0.04] * 4, "gel": ["a", "a", "b", "b"]})
    >>> subgroups(frame, "gel", test="z")
    <Subgroups by gel: 2, p between them 0.003>
    """
    method, test, level = linear_model.settings(data, method, test, level)
    table = linear_model.study_table(data, [by])
    table[by] = table[by].astype(str)
    names = sorted(set(table[by]))
    if len(names) < 2:
        raise EvidenceError(f"`{by}` has one value only, so there are no subgroups to compare")
    if tau2 == "common":
        fit = meta_regression(table, by, method=method, test=test, level=level)
        rows = fit.predict(pd.DataFrame({by: names}))
        rows.insert(0, by, names)
        rows["k"] = [int((table[by] == name).sum()) for name in names]
        rows["tau2"] = fit.tau2
        own = fit.coefficients
        return Subgroups(rows, by, tau2, own.qm or 0.0, own.qm_df or (0, None), own.qm_p_value or 0.0)
    pooled = pool(table.drop(columns="slab"), by=by, method=method, test=test, level=level)
    means, w = pooled["estimate"].to_numpy(dtype=float), 1 / pooled["se"].to_numpy(dtype=float) ** 2
    q = float(w @ (means - w @ means / w.sum()) ** 2)
    return Subgroups(pooled, by, "separate", q, (len(names) - 1, None), float(chdtrc(len(names) - 1, q)))
