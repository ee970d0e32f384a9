"""What stands between a printed number and an effect size: spreads, combined arms, clusters, other scales."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats: TypeAlias = NDArray[np.float64]


class Group(NamedTuple):
    """Size, mean and standard deviation of one group."""

    n: float
    mean: float
    sd: float


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def sd_from_se(se: ArrayLike, n: ArrayLike) -> Floats:
    """Return the standard deviation of a group from the standard error of its mean (Handbook 6.5.2.2).

    >>> float(sd_from_se(0.5, 64))
    4.0
    """
    return _floats(se) * np.sqrt(_floats(n))


def sd_from_ci(low: ArrayLike, high: ArrayLike, n: ArrayLike, level: float = 0.95) -> Floats:
    """Return the standard deviation of a group from the t interval of its mean (Handbook 6.5.2.2).

    >>> round(float(sd_from_ci(30.0, 34.2, 25)), 3)
    5.087
    """
    size = _floats(n)
    quantile = -special.stdtrit(size - 1, (1 - level) / 2)
    return np.sqrt(size) * (_floats(high) - _floats(low)) / (2 * quantile)


def sd_from_t(difference: ArrayLike, t: ArrayLike, n1: ArrayLike, n2: ArrayLike) -> Floats:
    """Return the common standard deviation of two groups from the t of their difference (Handbook 6.5.2.3).

    >>> round(float(sd_from_t(3.8, 2.78, 25, 22)), 2)
    4.68
    """
    return np.abs(_floats(difference) / _floats(t)) / np.sqrt(1 / _floats(n1) + 1 / _floats(n2))


def sd_from_p(difference: ArrayLike, p: ArrayLike, n1: ArrayLike, n2: ArrayLike) -> Floats:
    """Return the common standard deviation of two groups from a two-sided t test's p (Handbook 6.5.2.3).

    >>> round(float(sd_from_p(3.8, 0.008, 25, 22)), 2)
    4.68
    """
    t = -special.stdtrit(_floats(n1) + _floats(n2) - 2, _floats(p) / 2)
    return sd_from_t(difference, t, n1, n2)


def sd_from_difference_ci(
    low: ArrayLike, high: ArrayLike, n1: ArrayLike, n2: ArrayLike, level: float = 0.95
) -> Floats:
    """Return the common standard deviation of two groups from the interval of their difference.

    Handbook 6.5.2.3: the width gives the standard error, which gives the standard deviation.

    >>> round(float(sd_from_difference_ci(1.0, 6.6, 25, 22)), 2)
    4.76
    """
    df = _floats(n1) + _floats(n2) - 2
    se = (_floats(high) - _floats(low)) / (-2 * special.stdtrit(df, (1 - level) / 2))
    return se / np.sqrt(1 / _floats(n1) + 1 / _floats(n2))


def mean_sd_from_range(n: float, low: float, median: float, high: float) -> Group:
    """Return mean (Luo 2018, doi:10.1177/0962280216669183) and SD (Wan 2014, doi:10.1186/1471-2288-14-135).

    >>> group = mean_sd_from_range(50, 2.0, 10.0, 20.0)
    >>> round(group.mean, 3), round(group.sd, 3)
    (10.175, 4.012)
    """
    share = 4 / (4 + n**0.75)
    return Group(n, share * (low + high) / 2 + (1 - share) * median, (high - low) / _range_width(n))


def mean_sd_from_quartiles(n: float, q1: float, median: float, q3: float) -> Group:
    """Return mean (Luo 2018, doi:10.1177/0962280216669183) and SD (Wan 2014, doi:10.1186/1471-2288-14-135).

    >>> group = mean_sd_from_quartiles(50, 7.0, 10.0, 14.0)
    >>> round(group.mean, 3), round(group.sd, 3)
    (10.354, 5.343)
    """
    share = 0.7 + 0.39 / n
    return Group(n, share * (q1 + q3) / 2 + (1 - share) * median, (q3 - q1) / _quartile_width(n))


def mean_sd_from_five(n: float, low: float, q1: float, median: float, q3: float, high: float) -> Group:
    """Return mean (Luo 2018, doi:10.1177/0962280216669183) and SD (Wan 2014, doi:10.1186/1471-2288-14-135).

    >>> group = mean_sd_from_five(50, 2.0, 7.0, 10.0, 14.0, 20.0)
    >>> round(group.mean, 3), round(group.sd, 3)
    (10.413, 4.678)
    """
    ends, middle = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    mean = ends * (low + high) / 2 + middle * (q1 + q3) / 2 + (1 - ends - middle) * median
    return Group(n, mean, ((high - low) / _range_width(n) + (q3 - q1) / _quartile_width(n)) / 2)


def _range_width(n: float) -> float:
    """Return the expected range of n normal values in standard deviations (Blom's approximation)."""
    return 2 * float(special.ndtri((n - 0.375) / (n + 0.25)))


def _quartile_width(n: float) -> float:
    """Return the expected distance of the quartiles of n normal values in standard deviations."""
    return 2 * float(special.ndtri((0.75 * n - 0.125) / (n + 0.25)))


def combine_arms(groups: list[Group]) -> Group:
    """Return several arms as one (Cochrane Handbook 6.5.2.10): as if their people had been one group.

    >>> group = combine_arms([Group(30, 10.0, 2.0), Group(20, 12.0, 3.0)])
    >>> round(group.n), round(group.mean, 1), round(group.sd, 3)
    (50, 10.8, 2.615)
    """
    size, mean, sd = groups[0]
    for n, other, spread in groups[1:]:
        total = size + n
        squares = (size - 1) * sd**2 + (n - 1) * spread**2 + size * n / total * (mean - other) ** 2
        size, mean, sd = total, (size * mean + n * other) / total, (squares / (total - 1)) ** 0.5
    return Group(size, mean, sd)


def effective_n(n: ArrayLike, cluster_size: ArrayLike, icc: ArrayLike) -> Floats:
    """Return the size a cluster trial is worth: n over the design effect (Cochrane Handbook 23.1.4).

    >>> round(float(effective_n(500, 11, 0.02)), 1)
    416.7
    """
    return _floats(n) / (1 + (_floats(cluster_size) - 1) * _floats(icc))


def smd_to_log_or(smd: ArrayLike, variance: ArrayLike) -> tuple[Floats, Floats]:
    """Return a log odds ratio and its variance from an SMD (Chinn 2000; Cochrane Handbook 10.6).

    >>> log_or, variance = smd_to_log_or(0.5, 0.04)
    >>> round(float(log_or), 4), round(float(variance), 4)
    (0.9069, 0.1316)
    """
    return np.pi / np.sqrt(3) * _floats(smd), np.pi**2 / 3 * _floats(variance)


def or_to_rr(odds_ratio: ArrayLike, baseline_risk: ArrayLike) -> Floats:
    """Return the risk ratio that an odds ratio means at a baseline risk (Cochrane Handbook 15.4.4.4).

    >>> float(or_to_rr(3.0, 0.5))
    1.5
    """
    odds, risk = _floats(odds_ratio), _floats(baseline_risk)
    return odds / (1 - risk * (1 - odds))
