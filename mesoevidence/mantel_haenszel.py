"""Counts pooled without a variance for each study: Mantel-Haenszel and Peto, many questions at once."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np

from mesoevidence.conversions import Floats
from mesoevidence.formulas import peto_parts

Total: TypeAlias = Callable[[Floats], Floats]


class Sum(NamedTuple):
    """A pooled effect with its standard error, and the weight of each row."""

    estimate: Floats
    se: Floats
    weight: Floats


def _odds_ratio(ai: Floats, bi: Floats, ci: Floats, di: Floats, total: Total) -> Sum:
    """Robins, Breslow and Greenland 1986 (doi:10.2307/2531052)."""
    n = ai + bi + ci + di
    p, q, r, s = (ai + di) / n, (bi + ci) / n, ai * di / n, bi * ci / n
    every_r, every_s = total(r), total(s)
    cross = total(p * s + q * r) / (every_r * every_s)
    variance = (total(p * r) / every_r**2 + cross + total(q * s) / every_s**2) / 2
    return Sum(np.log(every_r / every_s), np.sqrt(variance), s)


def _risk_ratio(ai: Floats, bi: Floats, ci: Floats, di: Floats, total: Total) -> Sum:
    """Greenland and Robins 1985 (doi:10.2307/2530643)."""
    n1, n2 = ai + bi, ci + di
    n = n1 + n2
    above, below = total(ai * (n2 / n)), total(ci * (n1 / n))
    spread = total(n1 / n * (n2 / n) * (ai + ci) - ai / n * ci)
    return Sum(np.log(above / below), np.sqrt(spread / (above * below)), ci * (n1 / n))


def _risk_difference(ai: Floats, bi: Floats, ci: Floats, di: Floats, total: Total) -> Sum:
    """Sato, Greenland and Robins 1989 (doi:10.2307/2531668)."""
    n1, n2 = ai + bi, ci + di
    n = n1 + n2
    weight = n1 * (n2 / n)
    whole = total(weight)
    estimate = total(ai * (n2 / n) - ci * (n1 / n)) / whole
    p = total(ci * (n1 / n) ** 2 - ai * (n2 / n) ** 2 + n1 / n * (n2 / n) * (n2 - n1) / 2)
    q = total(ai * di / n + ci * bi / n) / 2
    return Sum(estimate, np.sqrt((estimate * p + q) / whole**2), weight)


def _rate_ratio(x1: Floats, x2: Floats, t1: Floats, t2: Floats, total: Total) -> Sum:
    """Rothman, Greenland and Lash 2008, chapter 15."""
    t = t1 + t2
    above, below = total(x1 * (t2 / t)), total(x2 * (t1 / t))
    spread = total(t1 / t * (t2 / t) * (x1 + x2))
    return Sum(np.log(above / below), np.sqrt(spread / (above * below)), x2 * (t1 / t))


def _rate_difference(x1: Floats, x2: Floats, t1: Floats, t2: Floats, total: Total) -> Sum:
    """Rothman, Greenland and Lash 2008, chapter 15."""
    weight = t1 / (t1 + t2) * t2
    whole = total(weight)
    se = np.sqrt(total(weight**2 * (x1 / t1**2 + x2 / t2**2))) / whole
    return Sum(total((x1 * t2 - x2 * t1) / (t1 + t2)) / whole, se, weight)


def peto(ai: Floats, bi: Floats, ci: Floats, di: Floats, total: Total) -> Sum:
    """Yusuf et al 1985 (doi:10.1016/s0033-0620(85)80003-7)."""
    more, variance = peto_parts(ai, bi, ci, di)
    whole = total(variance)
    return Sum(total(more) / whole, np.sqrt(1 / whole), variance)


SUMS: Mapping[tuple[str, str], Callable[..., Sum]] = MappingProxyType(
    {
        ("MH", "OR"): _odds_ratio,
        ("MH", "RR"): _risk_ratio,
        ("MH", "RD"): _risk_difference,
        ("MH", "IRR"): _rate_ratio,
        ("MH", "IRD"): _rate_difference,
        ("Peto", "PETO"): peto,
    }
)
