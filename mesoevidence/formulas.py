"""The formula of every effect measure, from arrays of counts, means, rates or correlations."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from scipy import special

from mesoevidence.conversions import Floats

Pair: TypeAlias = tuple[Floats, Floats]
Transform = Literal["identity", "exp", "expit", "tanh", "square-sine"]
Shape = Literal["table", "events", "rates", "means", "mean", "paired", "correlation", "generic"]


@dataclass(frozen=True, slots=True)
class Measure:
    """An effect measure: how it is computed, where no effect lies, how it is shown.

    Attributes
    ----------
    name, label : str
        Its name in metafor, and in words.
    shape : str
        The kind of columns it needs; see `COLUMNS`.
    compute : callable
        Takes those columns as arrays, and `vtype`; returns estimates and variances.
    transform : {"identity", "exp", "expit", "tanh", "square-sine"}
        From the scale of computing to the scale of showing.
    null : float or None
        No effect, on the scale of showing; None where nothing is compared.
    vtypes : tuple of str
        The sampling variances it has.
    add : float
        What is added to zero cells unless another number is asked for.
    """

    name: str
    label: str
    shape: Shape
    compute: Callable[..., Pair]
    transform: Transform = "identity"
    null: float | None = 0.0
    vtypes: tuple[str, ...] = ("LS",)
    add: float = 0.5

    @property
    def is_ratio(self) -> bool:
        """Whether it is a ratio, computed as a logarithm, with 1 meaning no effect."""
        return self.transform == "exp" and self.null == 1

    def shown(self, value: float) -> float:
        """Return a number on the scale of showing.

        >>> MEASURES["RR"].shown(0.0)
        1.0
        """
        return _SHOWN[self.transform](value)


_SHOWN: Mapping[Transform, Callable[[float], float]] = MappingProxyType(
    {
        "identity": lambda value: value,
        "exp": lambda value: math.exp(min(value, 700.0)),
        "expit": lambda value: 1 / (1 + math.exp(-min(max(value, -700.0), 700.0))),
        "tanh": math.tanh,
        "square-sine": lambda value: math.sin(min(max(value, 0.0), math.pi / 2)) ** 2,
    }
)

COLUMNS: Mapping[Shape, tuple[str, ...]] = MappingProxyType(
    {
        "table": ("ai", "bi", "ci", "di"),
        "events": ("xi", "mi"),
        "rates": ("x1i", "x2i", "t1i", "t2i"),
        "means": ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i"),
        "mean": ("mi", "sdi", "ni"),
        "paired": ("m1i", "m2i", "sd1i", "sd2i", "ri", "ni"),
        "correlation": ("ri", "ni"),
        "generic": ("yi", "vi"),
    }
)


def _risk_ratio(ai: Floats, bi: Floats, ci: Floats, di: Floats, _: str) -> Pair:
    n1, n2 = ai + bi, ci + di
    return np.log(ai / n1) - np.log(ci / n2), 1 / ai - 1 / n1 + 1 / ci - 1 / n2


def _odds_ratio(ai: Floats, bi: Floats, ci: Floats, di: Floats, _: str) -> Pair:
    return np.log(ai / bi) - np.log(ci / di), 1 / ai + 1 / bi + 1 / ci + 1 / di


def _risk_difference(ai: Floats, bi: Floats, ci: Floats, di: Floats, vtype: str) -> Pair:
    n1, n2, less = ai + bi, ci + di, vtype == "UB"
    return ai / n1 - ci / n2, ai / n1 * (bi / n1) / (n1 - less) + ci / n2 * (di / n2) / (n2 - less)


def peto_parts(ai: Floats, bi: Floats, ci: Floats, di: Floats) -> Pair:
    """Return observed minus expected events and their hypergeometric variance."""
    n1, n2 = ai + bi, ci + di
    n = n1 + n2
    return ai - (ai + ci) * n1 / n, (ai + ci) * (bi + di) * (n1 / n) * (n2 / n) / (n - 1)


def _peto(ai: Floats, bi: Floats, ci: Floats, di: Floats, _: str) -> Pair:
    """Yusuf 1985: observed minus expected over the hypergeometric variance."""
    more, variance = peto_parts(ai, bi, ci, di)
    return more / variance, 1 / variance


def _arcsine(ai: Floats, bi: Floats, ci: Floats, di: Floats, _: str) -> Pair:
    n1, n2 = ai + bi, ci + di
    return np.arcsin(np.sqrt(ai / n1)) - np.arcsin(np.sqrt(ci / n2)), 1 / (4 * n1) + 1 / (4 * n2)


def _proportion(xi: Floats, mi: Floats, vtype: str) -> Pair:
    n = xi + mi
    return xi / n, xi / n * (mi / n) / (n - (vtype == "UB"))


def _log_proportion(xi: Floats, mi: Floats, _: str) -> Pair:
    return np.log(xi / (xi + mi)), 1 / xi - 1 / (xi + mi)


def _logit_proportion(xi: Floats, mi: Floats, _: str) -> Pair:
    return np.log(xi / mi), 1 / xi + 1 / mi


def _arcsine_proportion(xi: Floats, mi: Floats, _: str) -> Pair:
    return np.arcsin(np.sqrt(xi / (xi + mi))), 1 / (4 * (xi + mi))


def _freeman_tukey(xi: Floats, mi: Floats, _: str) -> Pair:
    n = xi + mi
    angles = np.arcsin(np.sqrt(xi / (n + 1))) + np.arcsin(np.sqrt((xi + 1) / (n + 1)))
    return angles / 2, 1 / (4 * n + 2)


def proportion_of_angle(angle: float, people: float) -> float:
    """Return the proportion whose Freeman-Tukey angle this is in a group of that size (Miller 1978).

    >>> round(proportion_of_angle(0.45, 30), 4)
    0.1791
    """
    low, high = _freeman_tukey(np.array([0.0, people]), np.array([people, 0.0]), "LS")[0].tolist()
    if not low <= angle <= high:
        return float(angle > high)
    sine = math.sin(2 * angle)
    root = math.sqrt(max(0.0, 1 - (sine + (sine - 1 / sine) / people) ** 2))
    return (1 - math.copysign(root, math.cos(2 * angle))) / 2


def _rate_ratio(x1: Floats, x2: Floats, t1: Floats, t2: Floats, _: str) -> Pair:
    return np.log(x1 / t1) - np.log(x2 / t2), 1 / x1 + 1 / x2


def _rate_difference(x1: Floats, x2: Floats, t1: Floats, t2: Floats, _: str) -> Pair:
    return x1 / t1 - x2 / t2, x1 / t1**2 + x2 / t2**2


def _pooled_sd(sd1: Floats, n1: Floats, sd2: Floats, n2: Floats) -> Floats:
    return np.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2))


def hedges_j(df: Floats) -> Floats:
    """Return the exact factor that takes the bias out of a standardised mean (Hedges 1981).

    >>> round(float(hedges_j(np.array(10.0))), 6)
    0.922746
    """
    exact = np.exp(special.gammaln(df / 2) - np.log(np.sqrt(df / 2)) - special.gammaln((df - 1) / 2))
    return np.where(df > 1, exact, np.nan)


def _mean_difference(
    m1: Floats, sd1: Floats, n1: Floats, m2: Floats, sd2: Floats, n2: Floats, vtype: str
) -> Pair:
    if vtype == "HO":
        return m1 - m2, _pooled_sd(sd1, n1, sd2, n2) ** 2 * (1 / n1 + 1 / n2)
    return m1 - m2, sd1**2 / n1 + sd2**2 / n2


def _smd(m1: Floats, sd1: Floats, n1: Floats, m2: Floats, sd2: Floats, n2: Floats, vtype: str) -> Pair:
    n, df = n1 + n2, n1 + n2 - 2
    d = (m1 - m2) / _pooled_sd(sd1, n1, sd2, n2)
    j = np.where(df > 1, 1 - 3 / (4 * n - 9), np.nan) if vtype == "revman" else hedges_j(df)
    g, base = j * d, 1 / n1 + 1 / n2
    if vtype == "revman":
        return g, base + g**2 / (2 * (n - 3.94))
    if vtype == "LS2":
        return g, j**2 * (base + d**2 / (2 * n))
    if vtype == "UB":
        return g, base + (1 - (df - 2) / (df * j**2)) * g**2
    return g, base + g**2 / (2 * n)


def _smdh(m1: Floats, sd1: Floats, n1: Floats, m2: Floats, sd2: Floats, n2: Floats, _: str) -> Pair:
    """Bonett 2009: standardised by the root mean square of two SDs that may differ."""
    j, both = hedges_j(n1 + n2 - 2), sd1**2 + sd2**2
    g = j * (m1 - m2) / np.sqrt(both / 2)
    spread = g**2 * (sd1**4 / (n1 - 1) + sd2**4 / (n2 - 1)) / (2 * both**2)
    return g, j**2 * (spread + (sd1**2 / (n1 - 1) + sd2**2 / (n2 - 1)) / (both / 2))


def _ratio_of_means(
    m1: Floats, sd1: Floats, n1: Floats, m2: Floats, sd2: Floats, n2: Floats, vtype: str
) -> Pair:
    if vtype == "HO":
        sd1 = sd2 = _pooled_sd(sd1, n1, sd2, n2)
    return np.log(m1 / m2), sd1**2 / (n1 * m1**2) + sd2**2 / (n2 * m2**2)


def _mean(mi: Floats, sdi: Floats, ni: Floats, _: str) -> Pair:
    return mi, sdi**2 / ni


def _change(m1: Floats, m2: Floats, sd1: Floats, sd2: Floats, ri: Floats, ni: Floats, _: str) -> Pair:
    return m1 - m2, (sd1**2 + sd2**2 - 2 * ri * sd1 * sd2) / ni


def _smcc(m1: Floats, m2: Floats, sd1: Floats, sd2: Floats, ri: Floats, ni: Floats, vtype: str) -> Pair:
    """Change over the SD of the changes (Gibbons 1993)."""
    j = hedges_j(ni - 1)
    d = (m1 - m2) / np.sqrt(sd1**2 + sd2**2 - 2 * ri * sd1 * sd2)
    if vtype == "LS2":
        return j * d, j**2 * (1 / ni + d**2 / (2 * ni))
    return j * d, 1 / ni + (j * d) ** 2 / (2 * ni)


def _smcr(m1: Floats, m2: Floats, sd1: Floats, _sd2: Floats, ri: Floats, ni: Floats, vtype: str) -> Pair:
    """Change over the SD of the first measurement (Becker 1988)."""
    j, d = hedges_j(ni - 1), (m1 - m2) / sd1
    if vtype == "LS2":
        return j * d, j**2 * (2 * (1 - ri) / ni + d**2 / (2 * ni))
    return j * d, 2 * (1 - ri) / ni + (j * d) ** 2 / (2 * ni)


def _correlation(ri: Floats, ni: Floats, _: str) -> Pair:
    return ri, np.where(ni > 3, (1 - ri**2) ** 2 / (ni - 1), np.nan)


def _fisher_z(ri: Floats, ni: Floats, _: str) -> Pair:
    return np.arctanh(ri), np.where(ni > 3, 1 / (ni - 3), np.nan)


def _as_given(yi: Floats, vi: Floats, _: str) -> Pair:
    return yi, vi


_ = Measure
MEASURES: Mapping[str, Measure] = MappingProxyType({entry.name: entry for entry in (
    _("MD", "mean difference", "means", _mean_difference, vtypes=("LS", "HO")),
    _("SMD", "standardised mean difference", "means", _smd, vtypes=("LS", "LS2", "UB", "revman")),
    _("SMDH", "standardised mean difference, unequal SDs", "means", _smdh),
    _("ROM", "ratio of means", "means", _ratio_of_means, "exp", 1.0, ("LS", "HO")),
    _("RR", "risk ratio", "table", _risk_ratio, "exp", 1.0),
    _("OR", "odds ratio", "table", _odds_ratio, "exp", 1.0),
    _("RD", "risk difference", "table", _risk_difference, vtypes=("LS", "UB")),
    _("PETO", "Peto odds ratio", "table", _peto, "exp", 1.0),
    _("AS", "arcsine difference", "table", _arcsine, add=0.0),
    _("PR", "proportion", "events", _proportion, null=None, vtypes=("LS", "UB")),
    _("PLO", "proportion (logit)", "events", _logit_proportion, "expit", None),
    _("PLN", "proportion (log)", "events", _log_proportion, "exp", None),
    _("PAS", "proportion (arcsine)", "events", _arcsine_proportion, "square-sine", None, add=0.0),
    _("PFT", "Freeman-Tukey angle of a proportion", "events", _freeman_tukey, null=None, add=0.0),
    _("MN", "mean", "mean", _mean, null=None),
    _("MC", "mean change", "paired", _change),
    _("SMCC", "standardised mean change, SD of changes", "paired", _smcc, vtypes=("LS", "LS2")),
    _("SMCR", "standardised mean change, SD at start", "paired", _smcr, vtypes=("LS", "LS2")),
    _("IRR", "rate ratio", "rates", _rate_ratio, "exp", 1.0),
    _("IRD", "rate difference", "rates", _rate_difference),
    _("COR", "correlation", "correlation", _correlation),
    _("ZCOR", "correlation (Fisher z)", "correlation", _fisher_z, "tanh"),
    _("HR", "hazard ratio", "generic", _as_given, "exp", 1.0),
    _("GEN", "effect", "generic", _as_given),
)})  # fmt: skip
del _
