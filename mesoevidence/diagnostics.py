"""What a pooled estimate owes to single studies: leave-one-out, cumulative pooling and influence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtr

from mesoevidence.bodies import Question
from mesoevidence.linear_model import Array, design, least_squares, settings, solve, study_table
from mesoevidence.pooled import Pooled
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.regression import Regression, meta_regression


@dataclass(frozen=True, eq=False, repr=False)
class Repooled:
    """One question pooled again and again with other studies.

    Attributes
    ----------
    table : DataFrame
        One row a pooling, with the columns of ``pool(by = )`` after the label of the study left out or added.
    step : str
        "left out" or "added": what the label of each row says.
    method, test, level : str, str, float
        How the studies were pooled.
    question : Question or None
        What a synthesis asked.
    """

    table: pd.DataFrame
    step: str
    method: str
    test: str
    level: float
    question: Question | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pooling."""
        return self.table.copy()

    def summary(self) -> str:
        """Return each estimate in a line."""
        columns = self.table[["slab", "estimate", "ci_low", "ci_high"]].itertuples(index=False)
        lines = [f"  {slab}: {mean:.4f} ({low:.4f} to {high:.4f})" for slab, mean, low, high in columns]
        return "\n".join([f"Study {self.step} ({self.method}, test {self.test})", *lines])

    def __repr__(self) -> str:
        low, high = self.table["estimate"].min(), self.table["estimate"].max()
        found = f"estimates from {low:.3f} to {high:.3f}"
        return f"<Repooled {len(self.table)} times, study {self.step}: {found}>"


def leave_one_out(
    data: pd.DataFrame | Pooled,
    *,
    method: str | None = None,
    test: str | None = None,
    level: float | None = None,
) -> Repooled:
    """Pool the studies again without each of them in turn.

    Parameters
    ----------
    data : DataFrame or Pooled
        `yi`, `vi` or `sei`, labels in `slab`; or a pooled result, and then pooled as it was.
    method, test, level
        As in `pool`.

    Returns
    -------
    Repooled
        A row for each study left out, in the order given.

    Raises
    ------
    EvidenceError
        When there are fewer than two complete studies.

    Notes
    -----
    Viechtbauer and Cheung (2010), Res Synth Methods 1:112; metafor's ``leave1out()`` gives these numbers.

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.1, 0.3, 0.9], "vi": [0.04] * 3, "slab": ["a", "b", "c"]})
    >>> leave_one_out(frame, method="EE", test="z").table[["slab", "estimate"]].round(2).values.tolist()
    [['a', 0.6], ['b', 0.5], ['c', 0.2]]
    """
    table = study_table(data)
    k = len(table)
    if k < 2:
        raise EvidenceError("to leave one study out there must be at least two")
    return _repooled(data, table, ~np.eye(k, dtype=bool), "left out", method, test, level)


def cumulative(
    data: pd.DataFrame | Pooled,
    order: str | None = None,
    *,
    method: str | None = None,
    test: str | None = None,
    level: float | None = None,
) -> Repooled:
    """Pool the first study, the first two, the first three, and so on.

    Parameters
    ----------
    data : DataFrame or Pooled
        `yi`, `vi` or `sei`, labels in `slab`; or a pooled result, and then pooled as it was.
    order : str, optional
        The column to sort by, lowest first (the year, usually); the order given when left out.
    method, test, level
        As in `pool`.

    Returns
    -------
    Repooled
        A row for each study added.

    Raises
    ------
    EvidenceError
        When there is no complete study, or no column `order`.

    Notes
    -----
    Lau et al. (1992), N Engl J Med 327:248. The numbers are those of metafor's ``cumul()``.

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.9, 0.1], "vi": [0.04] * 2, "slab": ["b", "a"], "year": [2020, 2010]})
    >>> cumulative(frame, "year", method="EE", test="z").table[["slab", "estimate"]].values.tolist()
    [['a', 0.1], ['b', 0.5]]
    """
    table = study_table(data, [order] if order else [])
    if order:
        table = table.sort_values(order, kind="stable", ignore_index=True)
    if table.empty:
        raise EvidenceError("there is no complete study to pool")
    return _repooled(data, table, np.tri(len(table), dtype=bool), "added", method, test, level)


def _repooled(
    data: pd.DataFrame | Pooled,
    table: pd.DataFrame,
    goes_in: NDArray[np.bool_],
    step: str,
    method: str | None,
    test: str | None,
    level: float | None,
) -> Repooled:
    """Pool all questions at once: `goes_in` has a row for each, named by its study, and a column a study."""
    question, row = np.nonzero(goes_in)
    method, test, level = settings(data, method, test, level)
    many = table[["yi", "vi"]].iloc[row].assign(question=question)
    found = pool(many, by="question", method=method, test=test, level=level)
    if isinstance(data, Pooled):
        found["measure"] = data.measure
    found.insert(0, "slab", table["slab"].to_numpy()[found.pop("question").to_numpy(dtype=int)])
    return Repooled(found, step, method, test, level, getattr(data, "question", None))


@dataclass(frozen=True, eq=False, repr=False)
class Influence:
    """How far each study moves the fit.

    Attributes
    ----------
    table : DataFrame
        One row a study: `rstudent` (its residual from the fit without it), `dffits`, `cook`, `cov_ratio`,
        `tau2` and `q` without it, `hat`, `weight` in percent, one `dfbetas: term` a coefficient, and
        `influential` by metafor's rules; empty where nothing can be fitted without the study.
    fit : Regression
        The fit with all studies.
    """

    table: pd.DataFrame
    fit: Regression

    def to_frame(self) -> pd.DataFrame:
        """Return one row a study."""
        return self.table.copy()

    def summary(self) -> str:
        """Return the influential studies with their Cook's distance."""
        chosen = self.table[self.table["influential"]][["slab", "cook", "rstudent"]].itertuples(index=False)
        lines = [f"  {name}: Cook's distance {cook:.2f}, residual {rest:.2f}" for name, cook, rest in chosen]
        return "\n".join([f"Influential of {len(self.table)} studies:", *(lines or ["  none"])])

    def __repr__(self) -> str:
        return f"<Influence of {len(self.table)} studies: {int(self.table['influential'].sum())} influential>"


def influence(
    data: pd.DataFrame | Pooled | Regression,
    moderators: str | Sequence[str] = (),
    *,
    method: str | None = None,
    test: str | None = None,
    level: float | None = None,
) -> Influence:
    """Measure how far each study moves the estimate, or the coefficients of a regression.

    Parameters
    ----------
    data : DataFrame, Pooled or Regression
        What was pooled, or the regression itself.
    moderators : str or sequence of str
        As in `meta_regression`.
    method, test, level
        As in `pool`.

    Returns
    -------
    Influence
        Hat values, Cook's distances, DFBETAS and what else metafor's ``influence()`` gives.

    Raises
    ------
    EvidenceError
        When nothing can be fitted, as in `meta_regression`.

    Notes
    -----
    Viechtbauer and Cheung (2010), Res Synth Methods 1:112.

    Examples
    --------
    >>> frame = pd.DataFrame({"yi": [0.1, 0.2, 0.1, 2.0], "vi": [0.04] * 4})
    >>> influence(frame, method="DL", test="z").table["rstudent"].round(1).to_list()
    [-0.5, -0.4, -0.5, 8.1]
    """
    if isinstance(data, Regression):
        fit = data
    else:
        fit = meta_regression(data, moderators, method=method, test=test, level=level)
    x, terms = design(fit.studies, fit.levels)
    y, v = fit.studies["yi"].to_numpy(), fit.studies["vi"].to_numpy()
    whole, _, _ = solve(y, v, x, fit.method, fit.test)
    rows = [_without(number, y, v, x, fit) for number in range(len(y))]
    names = ["rstudent", "dffits", "cook", "cov_ratio", "tau2", "q", *(f"dfbetas: {term}" for term in terms)]
    table = pd.DataFrame(rows, columns=names)
    table.insert(0, "slab", fit.studies["slab"])
    hat, (k, p) = whole.hat(), x.shape
    table["dffits"] /= np.sqrt(hat)
    table.insert(7, "hat", hat)
    table.insert(8, "weight", 100 * whole.w / whole.w.sum())
    far = (table[names[6:]].abs() > 1).any(axis=1) | (chdtr(p, table["cook"].fillna(0)) > 0.5)
    table["influential"] = far | (table["dffits"].abs() > 3 * np.sqrt(p / (k - p))) | (hat > 3 * p / k)
    return Influence(table, fit)


def _without(number: int, y: Array, v: Array, x: Array, fit: Regression) -> list[float]:
    """Return what changes when one study is left out; nothing where the rest cannot be fitted."""
    rest = np.arange(len(y)) != number
    p = x.shape[1]
    if rest.sum() <= p or np.linalg.matrix_rank(x[rest] / np.linalg.norm(x, axis=0)) < p:
        return [np.nan] * (6 + p)
    all_of = fit.coefficients
    solved, tau2, scale = solve(y[rest], v[rest], x[rest], fit.method, fit.test)
    vcov = scale * solved.inverse
    expected = x[number] @ solved.beta
    error = scale * (v[number] + tau2) + x[number] @ vcov @ x[number]
    moved = all_of.estimate - solved.beta
    spread = np.sqrt(scale * np.diag(least_squares(y, x, 1 / (v + tau2)).inverse))
    return [
        float((y[number] - expected) / np.sqrt(error)),
        float((x[number] @ all_of.estimate - expected) / np.sqrt(scale * (v[number] + tau2))),
        float(moved @ np.linalg.solve(all_of.vcov, moved)),
        float(np.linalg.det(vcov) / np.linalg.det(all_of.vcov)),
        tau2,
        least_squares(y[rest], x[rest], 1 / v[rest]).rss,
        *(moved / spread).tolist(),
    ]
