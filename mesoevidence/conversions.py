"""What stands between a printed number and an effect size: spreads, combined arms, clusters, other scales.

Every function takes numbers or whole columns (arrays); what is missing (NaN) stays missing, and what cannot
be (a negative standard error, an interval upside down) is refused. Handbook: Cochrane Handbook for
Systematic Reviews of Interventions, version 6.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from mesoevidence.problems import EvidenceError

Floats: TypeAlias = NDArray[np.float64]
Number: TypeAlias = float | Floats


class Group(NamedTuple):
    """Size, mean and standard deviation of one group, or of one group in each row."""

    n: Number
    mean: Number
    sd: Number


def _group(n: Floats, mean: Floats, sd: Floats) -> Group:
    """Return a group, plain numbers where there is only one."""
    return Group(*(value.item() if np.ndim(value) == 0 else value for value in (n, mean, sd)))


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _within(name: str, values: ArrayLike, low: float = 0.0, high: float = np.inf) -> Floats:
    """Return numbers that lie between two bounds; what is missing stays missing."""
    numbers = _floats(values)
    if bool(((numbers <= low) | (numbers >= high)).any()):
        bounds = f"finite and above {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
        raise EvidenceError(f"`{name}` must be {bounds}; look at the figure again")
    return numbers


def _rising(**given: ArrayLike) -> list[Floats]:
    """Return numbers of which none is below the one before it, and the last is above the first."""
    numbers = [_floats(values) for values in given.values()]
    falls = any(bool((after < before).any()) for before, after in combinations(numbers, 2))
    if falls or bool((numbers[-1] == numbers[0]).any()):
        names = ", ".join(f"`{name}`" for name in given)
        raise EvidenceError(f"{names} must rise in this order; look at the figures again")
    return numbers


def sd_from_se(se: ArrayLike, n: ArrayLike) -> Floats:
    """Return the standard deviation of a group from the standard error of its mean (Handbook 6.5.2.2).

    >>> float(sd_from_se(0.5, 64))
    4.0
    """
    return _within("se", se) * np.sqrt(_within("n", n))


def sd_from_ci(low: ArrayLike, high: ArrayLike, n: ArrayLike, level: float = 0.95) -> Floats:
    """Return the standard deviation of a group from the t interval of its mean (Handbook 6.5.2.2).

    >>> round(float(sd_from_ci(30.0, 34.2, 25)), 3)
    5.087
    """
    size, (lower, upper) = _within("n", n, 1), _rising(low=low, high=high)
    quantile = -special.stdtrit(size - 1, (1 - _within("level", level, high=1)) / 2)
    return np.sqrt(size) * (upper - lower) / (2 * quantile)


def sd_from_t(difference: ArrayLike, t: ArrayLike, n1: ArrayLike, n2: ArrayLike) -> Floats:
    """Return the common standard deviation of two groups from the t of their difference (Handbook 6.5.2.3).

    >>> round(float(sd_from_t(3.8, 2.78, 25, 22)), 2)
    4.68
    """
    size = np.abs(_within("t", np.abs(_floats(t))))
    return np.abs(_floats(difference)) / size / np.sqrt(1 / _within("n1", n1) + 1 / _within("n2", n2))


def sd_from_p(difference: ArrayLike, p: ArrayLike, n1: ArrayLike, n2: ArrayLike) -> Floats:
    """Return the common standard deviation of two groups from a two-sided t test's p (Handbook 6.5.2.3).

    >>> round(float(sd_from_p(3.8, 0.008, 25, 22)), 2)
    4.68
    """
    df = _within("n1 + n2 - 2", _floats(n1) + _floats(n2) - 2)
    return sd_from_t(difference, special.stdtrit(df, _within("p", p, high=1) / 2), n1, n2)


def sd_from_difference_ci(
    low: ArrayLike, high: ArrayLike, n1: ArrayLike, n2: ArrayLike, level: float = 0.95
) -> Floats:
    """Return the common standard deviation of two groups from the interval of their difference.

    Handbook 6.5.2.3: the width gives the standard error, which gives the standard deviation.

    >>> round(float(sd_from_difference_ci(1.0, 6.6, 25, 22)), 2)
    4.76
    """
    df, (lower, upper) = _within("n1 + n2 - 2", _floats(n1) + _floats(n2) - 2), _rising(low=low, high=high)
    t = -special.stdtrit(df, (1 - _within("level", level, high=1)) / 2)
    return sd_from_t((upper - lower) / 2, t, n1, n2)


def mean_sd_from_range(n: ArrayLike, low: ArrayLike, median: ArrayLike, high: ArrayLike) -> Group:
    """Return mean (Luo 2018, doi:10.1177/0962280216669183) and SD (Wan 2014, doi:10.1186/1471-2288-14-135).

    >>> group = mean_sd_from_range(50, 2.0, 10.0, 20.0)
    >>> round(group.mean, 3), round(group.sd, 3)
    (10.175, 4.012)
    """
    size, (least, middle, most) = _within("n", n, 1), _rising(low=low, median=median, high=high)
    share = 4 / (4 + size**0.75)
    mean = share * (least + most) / 2 + (1 - share) * middle
    return _group(size, mean, (most - least) / _range_width(size))


def mean_sd_from_quartiles(n: ArrayLike, q1: ArrayLike, median: ArrayLike, q3: ArrayLike) -> Group:
    """Return mean (Luo 2018, doi:10.1177/0962280216669183) and SD (Wan 2014, doi:10.1186/1471-2288-14-135).

    >>> group = mean_sd_from_quartiles(50, 7.0, 10.0, 14.0)
    >>> round(group.mean, 3), round(group.sd, 3)
    (10.354, 5.343)
    """
    size, (lower, middle, upper) = _within("n", n, 1), _rising(q1=q1, median=median, q3=q3)
    share = 0.7 + 0.39 / size
    mean = share * (lower + upper) / 2 + (1 - share) * middle
    return _group(size, mean, (upper - lower) / _quartile_width(size))


def mean_sd_from_five(
    n: ArrayLike, low: ArrayLike, q1: ArrayLike, median: ArrayLike, q3: ArrayLike, high: ArrayLike
) -> Group:
    """Return mean (Luo 2018, doi:10.1177/0962280216669183) and SD (Wan 2014, doi:10.1186/1471-2288-14-135).

    >>> group = mean_sd_from_five(50, 2.0, 7.0, 10.0, 14.0, 20.0)
    >>> round(group.mean, 3), round(group.sd, 3)
    (10.413, 4.678)
    """
    size = _within("n", n, 1)
    least, lower, middle, upper, most = _rising(low=low, q1=q1, median=median, q3=q3, high=high)
    ends, inner = 2.2 / (2.2 + size**0.75), 0.7 - 0.72 / size**0.55
    mean = ends * (least + most) / 2 + inner * (lower + upper) / 2 + (1 - ends - inner) * middle
    spread = (most - least) / _range_width(size) + (upper - lower) / _quartile_width(size)
    return _group(size, mean, spread / 2)


def _range_width(n: Floats) -> Floats:
    """Return the expected range of n normal values in standard deviations (Blom's approximation)."""
    return np.asarray(2 * special.ndtri((n - 0.375) / (n + 0.25)))


def _quartile_width(n: Floats) -> Floats:
    """Return the expected distance of the quartiles of n normal values in standard deviations."""
    return np.asarray(2 * special.ndtri((0.75 * n - 0.125) / (n + 0.25)))


def combine_arms(groups: Sequence[Group]) -> Group:
    """Return several arms as one (Handbook 6.5.2.10): as if their people had been one group.

    >>> group = combine_arms([Group(30, 10.0, 2.0), Group(20, 12.0, 3.0)])
    >>> round(group.n), round(group.mean, 1), round(group.sd, 3)
    (50, 10.8, 2.615)
    """
    if not groups:
        raise EvidenceError("there are no arms to combine; give a size, mean and SD of each")
    for group in groups:
        _within("n", group.n)
        _within("sd", group.sd, np.nextafter(0.0, -1.0))
    size, mean, sd = groups[0]
    for n, other, spread in groups[1:]:
        total = size + n
        squares = (size - 1) * sd**2 + (n - 1) * spread**2 + size * n / total * (mean - other) ** 2
        size, mean, sd = total, (size * mean + n * other) / total, (squares / (total - 1)) ** 0.5
    return Group(size, mean, sd)


def effective_n(n: ArrayLike, cluster_size: ArrayLike, icc: ArrayLike) -> Floats:
    """Return the size a cluster trial is worth: n over the design effect (Handbook 23.1.4).

    >>> round(float(effective_n(500, 11, 0.02)), 1)
    416.7
    """
    design = 1 + (_within("cluster_size", cluster_size) - 1) * _within("icc", icc, -1, np.nextafter(1, 2))
    return _within("n", n) / _within("design effect", design)


def smd_to_log_or(smd: ArrayLike, variance: ArrayLike) -> tuple[Floats, Floats]:
    """Return a log odds ratio and its variance from an SMD (Chinn 2000; Handbook 10.6).

    >>> log_or, variance = smd_to_log_or(0.5, 0.04)
    >>> round(float(log_or), 4), round(float(variance), 4)
    (0.9069, 0.1316)
    """
    return np.pi / np.sqrt(3) * _floats(smd), np.pi**2 / 3 * _within("variance", variance)


def or_to_rr(odds_ratio: ArrayLike, baseline_risk: ArrayLike) -> Floats:
    """Return the risk ratio that an odds ratio means at a baseline risk (Handbook 15.4.4.4).

    >>> float(or_to_rr(3.0, 0.5))
    1.5
    """
    odds, risk = _within("odds_ratio", odds_ratio), _within("baseline_risk", baseline_risk, high=1)
    return odds / (1 - risk * (1 - odds))
