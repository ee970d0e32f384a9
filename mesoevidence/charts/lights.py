"""Judgements of bias as signs and colours: which light stands for which word."""

from collections.abc import Iterable
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from mesoevidence.charts import kit
from mesoevidence.charts.kit import Sheet


class Light(NamedTuple):
    """One light: its fill, its sign, the colour of the sign, and the word beside it in a legend."""

    fill: str
    sign: str
    ink: str
    word: str


# Searched for: apart by 20 or more (CIEDE2000) also with protan, deutan and tritan sight simulated after
# Machado et al. (2009), and by 21 in lightness among the four levels, so that a grey print tells them.
# The second fills are those that robvis calls "cochrane": readers of reviews know them, though high and
# critical look alike.
_KINDS = MappingProxyType(
    {"good": ("plus", "#2BB88A", "#02C100"), "near": ("plus-minus", "#B5E6D2", "#B5E6D2"),
    "some": ("minus", "#F4E04D", "#E2DF07"), "bad": ("cross", "#BF3F00", "#BF0000"),
    "worst": ("bang", "#4A0D1A", "#820000"), "unknown": ("question", "#DDE1E6", "#4EA1F7"),
    "none": ("none", kit.WHITE, kit.WHITE)}
)  # fmt: skip
_STROKES = MappingProxyType(
    {
        "plus": (((-0.6, 0), (0.6, 0)), ((0, -0.6), (0, 0.6))),
        "plus-minus": (((-0.5, -0.15), (0.5, -0.15)), ((0, -0.65), (0, 0.35)), ((-0.5, 0.55), (0.5, 0.55))),
        "minus": (((-0.6, 0), (0.6, 0)),),
        "cross": (((-0.45, -0.45), (0.45, 0.45)), ((-0.45, 0.45), (0.45, -0.45))),
        "bang": (((0, -0.65), (0, 0.22)), ((0, 0.42), (0, 0.65))),
        "question": (
            ((-0.32, -0.32), (-0.22, -0.54), (0, -0.63), (0.23, -0.54), (0.32, -0.32), (0.2, -0.1),
             (0, 0.05), (0, 0.24)),
            ((0, 0.42), (0, 0.65)),
        ),
        "none": (),
    }
)  # fmt: skip
# From best to worst, then what is not known: the order of legends and of summary bars.
_LEVELS = MappingProxyType(
    {"low": ("good", "Low risk"), "yes": ("good", "Yes"),
    "low-except-confounding": ("near", "Low except for confounding"), "moderate": ("some", "Moderate risk"),
    "some-concerns": ("some", "Some concerns"), "partial-yes": ("some", "Partial yes"),
    "high": ("bad", "High risk"), "serious": ("bad", "Serious risk"), "no": ("bad", "No"),
    "critical": ("worst", "Critical risk"), "very-high": ("worst", "Very high risk"),
    "unclear": ("unknown", "Unclear"), "no-information": ("unknown", "No information"),
    "not-assessed": ("none", "Not assessed"), "not-applicable": ("none", "Not applicable")}
)  # fmt: skip
# AMSTAR 2 rates confidence in a review, where high is good.
_CONFIDENCE = MappingProxyType(
    {"high-confidence": ("good", "High confidence"), "moderate-confidence": ("some", "Moderate confidence"),
    "low-confidence": ("bad", "Low confidence"),
    "critically-low-confidence": ("worst", "Critically low confidence")}
)  # fmt: skip
ORDER = (*_LEVELS, *_CONFIDENCE)


def light(judgement: str, palette: str = "own") -> Light:
    """Return the light of a judgement; a word nobody knows is shown as not known, under its own name.

    >>> light("some-concerns").sign
    'minus'
    """
    unknown = ("unknown", judgement.replace("-", " ").capitalize())
    kind, word = {**_LEVELS, **_CONFIDENCE}.get(judgement, unknown)
    shape, *fills = _KINDS[kind]
    ink = kit.WHITE if kind in ("bad", "worst") else kit.INK
    return Light(fills[palette == "cochrane"], shape, ink, word)


def sign(sheet: Sheet, x: float, y: float, size: float, shown: Light) -> None:
    """Draw the sign of a light, its strokes within `size` of the point."""
    for stroke in _STROKES[shown.sign]:
        points = [(x + size * right, y + size * down) for right, down in stroke]
        sheet.line(points, shown.ink, 20 * size, layer=kit.OVER, name="sign")


def draw(sheet: Sheet, x: float, y: float, radius: float, judgement: str) -> None:
    """Draw the light of a judgement."""
    shown = light(judgement, sheet.printing.palette)
    sheet.disc(x, y, radius, shown.fill, name="light")
    sign(sheet, x, y, radius, shown)


def ordered(judgements: Iterable[str]) -> list[str]:
    """Return judgements from best to worst, then unknown ones by name."""
    return sorted({*judgements}, key=lambda word: (ORDER.index(word) if word in ORDER else len(ORDER), word))


def legend(sheet: Sheet, y: float, wide: float, judgements: Iterable[str]) -> float:
    """Explain the lights of these judgements, from best to worst; return the y below."""
    radius, words = sheet.printing.note * 0.0095, ordered(judgements)
    entries = ((partial(draw, sheet, radius=radius, judgement=word), light(word).word) for word in words)
    return sheet.legend(entries, y, wide, 2 * radius) if words else y
