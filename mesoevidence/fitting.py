"""The numbers of many questions at once: estimates, intervals, tests and heterogeneity, as arrays."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy import special

from mesoevidence import heterogeneity, mantel_haenszel
from mesoevidence.conversions import Floats
from mesoevidence.formulas import peto_parts
from mesoevidence.heterogeneity import ONE, Ints, Mask, Questions, where

Summing: TypeAlias = Callable[..., mantel_haenszel.Sum]
COUNTED = ("MH", "Peto")


class Rows(NamedTuple):
    """The studies of all questions: question, effect, variance, whether it is there, and counts if needed."""

    question: Ints
    yi: Floats
    vi: Floats
    there: Mask
    counts: tuple[Floats, ...]


class Fit(NamedTuple):
    """What pooling gives: numbers by question, NaN where there is none, and the weight of every row."""

    numbers: dict[str, Floats]
    weights: Floats
    narrow: Mask


def fit(questions: Questions, method: str, test: str, level: float) -> Fit:
    """Pool many questions by inverse variance; see `heterogeneity` for how their rows lie."""
    k = questions.k
    df, several = k - ONE, k > 1

    def known(values: Floats, single: float = np.nan) -> Floats:
        return where(several, values, single)

    zero = heterogeneity.weigh(questions, 0.0 * df)
    q = known(zero.q(questions))
    if method == "EE":
        tau2, at = df * np.nan, zero
        i2, h2 = where(q > 0, np.maximum(0.0, 100 * (q - df) / q), q), q / df
    else:
        tau2 = known(heterogeneity.tau2(questions, method, zero))
        at = heterogeneity.weigh(questions, known(tau2, 0.0))
        typical = df / zero.trace(questions)
        i2, h2 = 100 * tau2 / (typical + tau2), tau2 / typical + 1
    wald = np.sqrt(1 / at.all)
    scale: Floats | float = 1.0
    if test in ("knha", "adhoc"):
        spread = at.q(questions) / df
        spread = np.maximum(1.0, spread) if test == "adhoc" else where(spread > 0, spread, np.nan)
        scale = known(np.sqrt(spread), 1.0)
    estimate, se = questions.centre + at.mean, scale * wald
    crit = critical(k, test, level)
    # Prediction: Higgins, Thompson and Spiegelhalter 2009, J R Stat Soc A 172:137.
    wide = where((k > 2) & (method != "EE"), crit * np.sqrt(se * se + tau2), np.nan)
    numbers = {
        **inference(estimate, se, crit, df * np.nan if test == "z" else known(df)),
        "tau2": tau2, "i2": i2, "h2": h2, "q": q, "q_df": known(df),
        "q_p_value": special.chdtrc(df, q),
        "prediction_low": estimate - wide, "prediction_high": estimate + wide,
    }  # fmt: skip
    weights = at.w
    weights[questions.starts] = at.top
    narrow = several & (crit * se < -special.ndtri((1 - level) / 2) * wald)
    return Fit(numbers, 100 * weights / questions.spread(at.all), narrow)


def inference(estimate: Floats, se: Floats, crit: Floats, df: Floats) -> dict[str, Floats]:
    """Return an estimate with its interval and test: t where there is a df, else z."""
    statistic = estimate / se
    away, half = -np.abs(statistic), crit * se
    tail = where(np.isnan(df), special.ndtr(away), special.stdtr(df, away))
    return {
        "estimate": estimate, "se": se, "ci_low": estimate - half, "ci_high": estimate + half,
        "p_value": 2 * tail, "statistic": statistic, "df": df,
    }  # fmt: skip


def critical(k: Ints, test: str, level: float) -> Floats:
    """Return how many standard errors an interval reaches to each side."""
    half = (1 - level) / 2
    z = -special.ndtri(half)
    if test == "z":
        return z + 0.0 * k
    sizes, place = np.unique(k, return_inverse=True) if k.ndim else (k, ())
    return where(sizes > 1, -special.stdtrit(sizes - ONE, half), z)[place]


def fit_counts(
    counts: tuple[Floats, ...], yi: Floats, vi: Floats, k: Ints, sums: Summing, level: float
) -> Fit:
    """Pool the counts of many questions by Mantel-Haenszel or Peto; rows sorted by question."""
    starts = heterogeneity.starts_of(k)

    def total(values: Floats) -> Floats:
        return np.add.reduceat(values, starts)

    pooled = sums(*counts, total)
    known = np.isfinite(yi)
    studies = total(known.astype(np.float64))
    if sums is mantel_haenszel.peto:
        more, variance = peto_parts(*counts)
        parts = np.where(variance > 0, more**2 / variance, 0.0)
        q = np.maximum(0.0, total(parts) - total(more) ** 2 / total(variance))
    else:
        away = yi - np.repeat(pooled.estimate, k)
        q = total(np.where(known, away**2 / vi, 0.0))
    several = studies > 1
    df = np.where(several, studies - 1, np.nan)
    q = np.where(several, q, np.nan)
    numbers = {
        **inference(pooled.estimate, pooled.se, critical(k, "z", level), np.full(len(k), np.nan)),
        "tau2": np.full(len(k), np.nan), "i2": np.where(q > 0, np.maximum(0.0, 100 * (q - df) / q), q),
        "h2": q / df, "q": q, "q_df": df, "q_p_value": special.chdtrc(df, q),
        "prediction_low": np.full(len(k), np.nan), "prediction_high": np.full(len(k), np.nan),
    }  # fmt: skip
    whole = np.repeat(total(pooled.weight), k)
    return Fit(numbers, 100 * pooled.weight / whole, np.zeros(len(k), dtype=bool))


def in_order(rows: Rows, kept: Ints) -> tuple[Rows, Ints]:
    """Return the rows to pool, sorted by question and then by their numbers, and where each stood."""
    question, yi, vi = rows.question[kept], rows.yi[kept], rows.vi[kept]
    if rows.counts:
        place = np.lexsort((*(part[kept] for part in rows.counts), question))
    else:
        place = heterogeneity.order(question, yi, vi)
    order = kept[place]
    counts = tuple(part[order] for part in rows.counts)
    return Rows(rows.question[order], rows.yi[order], rows.vi[order], rows.there[order], counts), order


def one(rows: Rows, measure: str, method: str, test: str, level: float) -> Fit:
    """Pool the rows of one question; the weights are in the order given, 0 where a row is not there."""
    laid, order = in_order(rows, rows.there.nonzero()[0])
    got = fitted(laid, np.array([len(order)], dtype=np.intp), measure, method, test, level)
    weights = np.zeros(len(rows.there))
    weights[order] = got.weights
    return Fit(got.numbers, weights, got.narrow)


def fitted(rows: Rows, k: Ints, measure: str, method: str, test: str, level: float) -> Fit:
    """Pool sorted rows."""
    with np.errstate(all="ignore"):
        if method in COUNTED:
            sums = mantel_haenszel.SUMS[method, measure]
            return fit_counts(rows.counts, rows.yi, rows.vi, k, sums, level)
        return fit(heterogeneity.questions(rows.yi, rows.vi, k), method, test, level)
