"""What printed numbers stand for, and what they imply of each other: means, percentages, p, intervals."""

import math
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import TypeAlias

import numpy as np
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit

from mesoevidence.model import PValue

Bounds: TypeAlias = tuple[float, float]
_LONG = Context(prec=100)  # more digits than a number of a record may have


def printed(number: Decimal | str) -> Bounds:
    """Return the least and the greatest value that print as this number.

    >>> printed("2.50")
    (2.495, 2.505)
    """
    value = Decimal(number)
    half = _last_digit(value) / 2
    return float(value - half), float(value + half)


def grim_mean(mean: Decimal | str, n: int, step: Decimal | str = "1") -> Decimal | None:
    """Return the nearest mean that n values in whole steps can have; None where the printed one is possible.

    Brown and Heathers (2017), Soc Psychol Personal Sci 8:363.

    >>> grim_mean("3.45", 10), grim_mean("3.50", 10)
    (Decimal('3.4'), None)
    """
    value, unit = Decimal(mean), Decimal(step)
    nearest = unit * (value * n / unit).to_integral_value() / n
    low, high = printed(value)
    if low - 1e-12 <= float(nearest) <= high + 1e-12:
        return None
    return nearest.quantize(_last_digit(value) / 10, context=_LONG).normalize()


def grim_percent(percent: Decimal | str, n: int) -> int | None:
    """Return the nearest count, or None where some count of n prints as this percentage.

    >>> grim_percent("77.5", 37), grim_percent("77.5", 40)
    (29, None)
    """
    count = round(float(percent) * n / 100)
    return None if prints_as(count, n, percent) else count


def prints_as(count: int, n: int, percent: Decimal | str) -> bool:
    """Return whether a count of n prints as this percentage.

    >>> prints_as(54, 86, "62.8"), prints_as(54, 86, "63.8")
    (True, False)
    """
    low, high = printed(percent)
    return low - 1e-9 <= 100 * count / n <= high + 1e-9


def p_from_means(
    means: Sequence[Decimal | str], sds: Sequence[Decimal | str], ns: Sequence[int], *, errors: bool = False
) -> Bounds:
    """Return the least and greatest two-sided p that two groups can give by pooled t, Welch or z.

    Rounding of every input is allowed for. With `errors` the spreads are standard errors.

    >>> low, high = p_from_means(["16.8", "13.5"], ["10.8", "10.7"], [20, 20])
    >>> print(f"{low:.2f} to {high:.2f}")
    0.31 to 0.35
    """
    (a_low, a_high), (b_low, b_high) = map(printed, means)
    ways = [math.sqrt(n) if errors else 1.0 for n in ns]
    spreads = [printed(sd) for sd in sds]
    nearest = max(0.0, a_low - b_high, b_low - a_high)
    found: list[float] = []
    for distance, side in ((nearest, 1), (max(a_high - b_low, b_high - a_low), 0)):
        first, second = (max(sd[side], 1e-12) * way for sd, way in zip(spreads, ways, strict=True))
        one, two = first**2 / ns[0], second**2 / ns[1]
        free = sum(ns) - 2
        spread = ((ns[0] - 1) * first**2 + (ns[1] - 1) * second**2) / free
        pooled = math.sqrt(spread * (1 / ns[0] + 1 / ns[1]))
        welch = math.sqrt(one + two)
        welch_free = (one + two) ** 2 / (one**2 / (ns[0] - 1) + two**2 / (ns[1] - 1))
        found += [_t_tail(distance / pooled, free), _t_tail(distance / welch, welch_free)]
        found += [_normal_tail(distance / pooled), _normal_tail(distance / welch)]
    return min(found), max(found)


def p_from_change(mean: Decimal | str, sd: Decimal | str, n: int) -> Bounds:
    """Return the least and greatest two-sided p of a mean change from 0, by t or z.

    >>> p_from_change("-12.8", "6.5", 20)[1] < 0.000001
    True
    """
    ends, spread = printed(mean), printed(sd)
    low, high = 0.0 if ends[0] <= 0 <= ends[1] else min(map(abs, ends)), max(map(abs, ends))
    least = low / max(spread[1], 1e-12) * math.sqrt(n)
    most = high / max(spread[0], 1e-12) * math.sqrt(n)
    return _normal_tail(most), _t_tail(least, n - 1)


def p_from_counts(events: Sequence[int], ns: Sequence[int]) -> Bounds | None:
    """Return the least and greatest two-sided p of a 2x2 by chi-squared, Yates, Fisher; None without events.

    Fisher's test is left out beyond two million persons, whose tables would be too many.

    >>> low, high = p_from_counts([18, 9], [26, 24])
    >>> print(f"{low:.3f} to {high:.3f}")
    0.025 to 0.049
    """
    (a, c), (n1, n2) = events, ns
    total, hits = n1 + n2, a + c
    if hits in (0, total):
        return None
    scale = total / (n1 * n2 * hits * (total - hits))
    gap = abs(a * n2 - c * n1)
    plain, yates = gap**2 * scale, max(0.0, gap - total / 2) ** 2 * scale
    found = [math.erfc(math.sqrt(plain / 2)), math.erfc(math.sqrt(yates / 2))]
    least, most = max(0, hits - n2), min(hits, n1)
    if total <= 2_000_000:
        x = np.arange(most - least + 1.0)
        cells = (least + x, hits - least - x, n1 - least - x, n2 - hits + least + x)
        ways = -gammaln(np.array(cells) + 1).sum(axis=0)
        shares = np.exp(ways - ways.max())
        found.append(float(shares[ways <= ways[a - least] + 1e-7].sum() / shares.sum()))
    return min(found), max(found)


def p_from_interval(
    estimate: Decimal, low: Decimal, high: Decimal, *, ratio: bool, level: float = 0.95
) -> Bounds:
    """Return the least and greatest two-sided p of an estimate with its interval, by z or t on 2 df or more.

    Altman and Bland (2011), BMJ 343:d2304.

    >>> least, greatest = p_from_interval(Decimal("1.64"), Decimal("1.05"), Decimal("2.58"), ratio=True)
    >>> least < 0.031 < greatest
    True
    """
    scale = math.log if ratio else float
    tiny = 1e-12 if ratio else -math.inf
    sides = [[scale(max(bound, tiny)) for bound in printed(number)] for number in (estimate, low, high)]
    nearest = 0.0 if sides[0][0] <= 0 <= sides[0][1] else min(map(abs, sides[0]))
    widest, narrowest = sides[2][1] - sides[1][0], max(sides[2][0] - sides[1][1], 1e-12)
    z = float(ndtri(0.5 + level / 2))
    found = []
    for ratio_to_half in (2 * nearest / max(widest, 1e-12), 2 * max(map(abs, sides[0])) / narrowest):
        found.append(_normal_tail(ratio_to_half * z))
        found += [_t_tail(ratio_to_half * float(stdtrit(free, 0.5 + level / 2)), free) for free in (2, 5, 20)]
    return min(found), max(found)


def interval_symmetry(estimate: Decimal, low: Decimal, high: Decimal, *, ratio: bool = False) -> float:
    """Return how far, in widths of the interval, the estimate lies from its middle beyond rounding.

    The middle is the geometric mean with `ratio`.

    >>> round(interval_symmetry(Decimal("1.27"), Decimal("0.993"), Decimal("1.639")), 3)
    0.063
    """
    scale = math.log if ratio else float
    if ratio and min(printed(low)[0], printed(estimate)[0]) <= 0:
        return math.inf
    sides = [[scale(bound) for bound in printed(number)] for number in (estimate, low, high)]
    middle = [(sides[1][end] + sides[2][end]) / 2 for end in (0, 1)]
    gap = max(0.0, sides[0][0] - middle[1], middle[0] - sides[0][1])
    return gap / max(scale(float(high)) - scale(float(low)), 1e-12) if gap > 1e-9 else 0.0


def p_misses(stated: PValue, implied: Bounds) -> float | None:
    """Return by which factor a stated p misses those implied; None unless it is 2 or 0.05 lies between.

    >>> p_misses(PValue(operator="=", value=Decimal("0.031")), (0.32, 0.35)) > 10
    True
    >>> p_misses(PValue(operator="<", value=Decimal("0.05")), (0.001, 0.002)) is None
    True
    """
    value = float(stated.value)
    low, high = printed(stated.value)
    if stated.operator in ("<", "<="):
        low, high = 0.0, value
    elif stated.operator in (">", ">="):
        low, high = value, 1.0
    elif value <= 0.001:
        low = 0.0  # the smallest p that many journals print
    least, greatest = implied
    if low <= greatest and least <= high:
        return None
    inner, outer = (high, least) if high < least else (greatest, low)
    factor = outer / max(inner, 1e-300)
    return factor if factor >= 2 or inner < 0.05 <= outer or inner <= 0.05 < outer else None


def _last_digit(value: Decimal) -> Decimal:
    """Return one unit of the last printed digit."""
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def _normal_tail(z: float) -> float:
    """Return the two-sided p of z."""
    return 2 * float(ndtr(-abs(z)))


def _t_tail(t: float, df: float) -> float:
    """Return the two-sided p of t."""
    return 2 * float(stdtr(df, -abs(t)))
