"""The pooled result of one question, frozen, and how it is shown."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mesoevidence import cards, heterogeneity
from mesoevidence.bodies import Question
from mesoevidence.formulas import MEASURES, proportion_of_angle

_MODELS = {"EE": "equal effects", "MH": "Mantel-Haenszel", "Peto": "Peto"}
_TESTS = {"z": "Wald z", "t": "Wald t", "knha": "Hartung-Knapp", "adhoc": "Hartung-Knapp, never narrower"}
Limits = tuple[float, float]


@dataclass(frozen=True, slots=True, repr=False)
class Pooled:
    """Studies of one question, pooled.

    Every number stands on the scale of computing: a ratio as its logarithm. `shown` and what is printed
    are on the scale of reading. What is not defined is None. The formulas are metafor's (Viechtbauer 2010,
    doi:10.18637/jss.v036.i03).

    Attributes
    ----------
    estimate, se, ci, statistic, df, p_value : float, float, (float, float), float, int, float
        The pooled effect, its interval at `level`, and its test; `df` is None where the test is a z.
    tau2, tau2_ci, i2, h2 : float, (float, float), float, float
        Variance of the true effects with its Q-profile interval; I2 in percent and H2, as metafor has them.
    q, q_df, q_p_value : float, int, float
        Cochran's Q.
    prediction : (float, float)
        Where the effect of a further study is expected; from three studies on.
    k, n : int
        Studies and, if known, people.
    weights : tuple of float
        In percent, in the order given.
    measure, method, test, level : str, str, str, float
        What was computed, and how.
    slab, yi, vi : tuple of str, of float, of float
        The studies that went in, in the order given; `studies` has them as a frame, with all their columns.
    warnings : tuple of str
        What a reader must know before using the numbers.
    label, question : str, Question
        The name of the question and what it asks, if they are known.

    Examples
    --------
    >>> import mesoevidence as me
    >>> trials = pd.DataFrame({"ai": [54, 27, 9], "n1i": [86, 30, 14], "ci": [7, 12, 3], "n2i": [40, 30, 14]})
    >>> pooled = me.pool(trials, measure="RR", method="DL", test="z")
    >>> round(pooled.estimate, 3), [round(end, 2) for end in pooled.shown]
    (0.968, [2.63, 1.84, 3.77])
    >>> print(pooled.summary())
    risk ratio of 3 studies
      model: random effects, DL, Wald z
      studies: 3 with 214 people
      risk ratio: 2.63 (95 % CI 1.84 to 3.77), p < 0.001
      Q: 1.28 (df 2), p = 0.526
      tau2: 0.0000 (0.0000 to 2.1031)
      I2: 0.0 %
      a further study: 1.84 to 3.77
      note: only 3 studies: the interval and tau2 are uncertain
    """

    estimate: float
    se: float | None
    ci: Limits | None
    p_value: float | None
    statistic: float | None
    df: int | None
    tau2: float | None
    i2: float | None
    h2: float | None
    q: float | None
    q_df: int | None
    q_p_value: float | None
    prediction: Limits | None
    k: int
    n: int | None
    weights: tuple[float, ...]
    measure: str
    method: str
    test: str
    level: float
    slab: tuple[str, ...]
    yi: tuple[float, ...]
    vi: tuple[float, ...]
    warnings: tuple[str, ...] = ()
    label: str | None = None
    question: Question | None = None
    given: pd.DataFrame | None = field(default=None, compare=False)

    @property
    def studies(self) -> pd.DataFrame:
        """The studies that went in, with label, effect, variance, weight in percent, and columns given."""
        frame = pd.DataFrame(
            {"slab": list(self.slab), "yi": self.yi, "vi": self.vi, "weight": self.weights}
        )  # fmt: skip
        if self.given is None:
            return frame
        return frame.join(self.given.reset_index(drop=True).drop(columns=frame, errors="ignore"))

    @property
    def tau2_ci(self) -> Limits | None:
        """The Q-profile interval of tau2; None without a tau2, and where the interval is empty."""
        if self.tau2 is None:
            return None
        rows = sorted(zip(self.vi, self.yi, strict=True))
        vi, yi = np.array(rows, dtype=np.float64).T.copy()
        with np.errstate(all="ignore"):
            low, high = heterogeneity.q_profile(
                heterogeneity.questions(yi, vi, np.array([self.k])), self.level
            )
        return None if np.isnan(low) else (float(low), float(high))

    @property
    def shown(self) -> tuple[float, float | None, float | None]:
        """The estimate and its interval as they are read: a ratio as a ratio, an angle as a proportion."""
        low, high = self.ci or (None, None)
        return (
            self._back(self.estimate),
            None if low is None else self._back(low),
            None if high is None else self._back(high),
        )

    def _back(self, value: float) -> float:
        """Return a number as it is read; a Freeman-Tukey angle in a group of the mean size (harmonic)."""
        if self.measure != "PFT":
            return MEASURES[self.measure].shown(value)
        people = [(1 / variance - 2) / 4 for variance in self.vi]
        return proportion_of_angle(value, len(people) / sum(1 / size for size in people))

    def to_frame(self) -> pd.DataFrame:
        """Return the result as one row, with the columns of `pool(..., by=...)`."""
        return pd.DataFrame([self.row()])

    def row(self) -> dict[str, object]:
        """Return the result as one row of a frame."""
        ci, tau2_ci, prediction = (
            limits or (None, None) for limits in (self.ci, self.tau2_ci, self.prediction)
        )
        return {
            "estimate": self.estimate, "se": self.se, "ci_low": ci[0], "ci_high": ci[1],
            "p_value": self.p_value, "statistic": self.statistic, "df": self.df, "tau2": self.tau2,
            "i2": self.i2, "h2": self.h2, "q": self.q, "q_df": self.q_df, "q_p_value": self.q_p_value,
            "prediction_low": prediction[0], "prediction_high": prediction[1], "k": self.k, "n": self.n,
            "measure": self.measure, "method": self.method, "test": self.test, "level": self.level,
            "note": "; ".join(self.warnings) or None, "tau2_ci_low": tau2_ci[0], "tau2_ci_high": tau2_ci[1],
        }  # fmt: skip

    def lines(self) -> dict[str, str]:
        """Return the result in words, by what is said."""
        measure = MEASURES[self.measure]
        people = "" if self.n is None else f" with {self.n} people"
        said = {
            "model": model_said(self.method, self.test),
            "studies": f"{self.k}{people}",
            "proportion" if self.measure == "PFT" else measure.label: self._effect(),
        }
        if self.q is not None:
            said["Q"] = f"{self.q:.2f} (df {self.q_df}), {_p(self.q_p_value)}"
        if self.tau2 is not None:
            limits = "" if (ends := self.tau2_ci) is None else f" ({ends[0]:.4f} to {ends[1]:.4f})"
            said["tau2"] = f"{self.tau2:.4f}{limits}"
        if self.i2 is not None:
            said["I2"] = f"{self.i2:.1f} %"
        if self.prediction is not None:
            low, high = map(self._back, self.prediction)
            said["a further study"] = f"{cards.number(low)} to {cards.number(high)}"
        return said

    def _effect(self) -> str:
        """Return the estimate with interval and p."""
        estimate, low, high = self.shown
        if low is None or high is None:
            return f"{cards.number(estimate)}, no interval"
        interval = f"({100 * self.level:g} % CI {cards.number(low)} to {cards.number(high)})"
        tested = "" if MEASURES[self.measure].null is None else f", {_p(self.p_value)}"
        return f"{cards.number(estimate)} {interval}{tested}"

    def summary(self) -> str:
        """Return the result in words and numbers, warnings last."""
        studies = "one study" if self.k == 1 else f"{self.k} studies"
        title = self.label or f"{MEASURES[self.measure].label} of {studies}"
        content: dict[str, object] = {**self.lines()}
        if self.warnings:
            content["note"] = list(self.warnings)
        return cards.text(title, content)

    def __repr__(self) -> str:
        return f"<Pooled {self.measure} {self._effect()}, k = {self.k}, {self.method}, {self.test}>"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        content: dict[str, object] = {**self.lines()}
        if self.warnings:
            content["note"] = list(self.warnings)
        return cards.html(self.label or f"{MEASURES[self.measure].label}, pooled", content)


def model_said(method: str, test: str | None) -> str:
    """Return how studies are pooled, in words.

    >>> model_said("REML", "knha"), model_said("MH", None)
    ('random effects, REML, Hartung-Knapp', 'Mantel-Haenszel')
    """
    tested = "" if method in ("MH", "Peto") else f", {_TESTS[test or 'knha']}"
    return f"{_MODELS.get(method, f'random effects, {method}')}{tested}"


def _p(value: float | None) -> str:
    """Return a p-value as it is printed."""
    if value is None:
        return "p not defined"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
