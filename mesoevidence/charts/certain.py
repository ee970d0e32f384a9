"""How sure one may be, and what was concluded, as signs: certainty circles and verdict colours."""

from types import MappingProxyType
from typing import Any, NamedTuple

from mesoevidence.charts import kit
from mesoevidence.charts.grid import Box, Part
from mesoevidence.charts.kit import Sheet, width_of


class Look(NamedTuple):
    """A fill, a sign of the font, and the ink it is written in."""

    fill: str
    sign: str
    ink: str


# Searched for, as the lights are: apart by 20 or more (CIEDE2000) with every sight, by 13 in lightness.
VERDICTS = MappingProxyType(
    {
        "supported": Look("#0B69B0", "▲", kit.WHITE),
        "overstated": Look("#EDD02A", "◆", kit.INK),
        "insufficient": Look("#A0A6AD", "○", kit.INK),
        "contradicted": Look("#5E1A08", "▼", kit.WHITE),
        "unverifiable": Look(kit.WHITE, "∅", kit.INK),
        "not-assessed": Look(kit.WHITE, "–", kit.MUTED),
    }
)
DIRECTIONS = MappingProxyType(
    {
        "supports": Look("#74B3E0", "▲", kit.INK),
        "neutral": Look(kit.WHITE, "■", kit.INK),
        "contradicts": Look("#BF3F00", "▼", kit.WHITE),
        "mixed": Look("#EDD02A", "◆", kit.INK),
    }
)
_RADIUS = 0.0068  # of a circle, for each point of the text beside it
_FILLED = MappingProxyType({"high": 4, "moderate": 3, "low": 2, "very-low": 1})


def certainty(sheet: Sheet, box: Box, level: str) -> None:
    """Draw four circles, as many filled as the evidence is certain, and the word."""
    filled, size = _FILLED.get(level), sheet.printing.note
    radius, x, y = size * _RADIUS, box.left, box.middle[1]
    if filled is not None:
        for place in range(4):
            fill = kit.INK if place < filled else kit.WHITE
            sheet.disc(x + radius + place * 2.5 * radius, y, radius, fill, name="certainty")
        x += 10 * radius + 0.05
    sheet.text(x, y, level.replace("-", " "), size, colour=kit.INK if filled is not None else kit.MUTED)


def certainty_span(level: str, size: float) -> float:
    """Return how wide a certainty is with its circles."""
    return 10 * size * _RADIUS + 0.05 + width_of(level.replace("-", " "), size)


def certainty_part(size: float, optional: int) -> Part:
    """Return a column of certainties, each the `strength` of its row."""
    wide = certainty_span("moderate", size)
    return Part(("Certainty",), wide, lambda sheet, row, box: certainty(sheet, box, row.strength), optional)


def verdict_part(size: float, optional: int = 0) -> Part:
    """Return a column of verdicts, each the `verdict` of its row."""

    def draw(sheet: Sheet, row: Any, box: Box) -> None:  # noqa: ANN401 - any row with a verdict
        cell(sheet, box, VERDICTS[row.verdict], row.verdict.replace("-", " "), bold=True)

    return Part(("Verdict (draft)",), width_of("– not assessed", size, True) + 0.16, draw, optional)


def cell(sheet: Sheet, box: Box, look: Look, text: str, *, bold: bool = False) -> None:
    """Draw a coloured cell with its sign and words."""
    (x, y), size = box.middle, sheet.printing.note
    half, edge = size * 0.0145, kit.RULE if look.fill == kit.WHITE else kit.INK
    sheet.box(box.left, y - half, box.right, y + half, look.fill, edge, name="cell")
    sheet.text(x, y, f"{look.sign} {text}".strip(), size, align="center", bold=bold, colour=look.ink)
