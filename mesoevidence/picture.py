"""The project's own picture: how strongly claims are worded against how strong their evidence is."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor
from pathlib import Path

from mesoevidence import escape, files
from mesoevidence.ledger import Ledger, of
from mesoevidence.strength import evidence_strength
from mesoevidence.tables import strongest_wording

STRENGTHS = ("none", "very-low", "low", "moderate", "high")
WORDINGS = {"certain": "“does”", "probable": "“probably does”", "possible": "“may”"}
# The wording each certainty allows (GRADE guidelines 26, Santesso 2020).
ALLOWED = {"certain": ("high",), "probable": ("moderate", "high"), "possible": ("low", "moderate", "high")}
_MEASURED = ("increase", "decrease", "no-difference", "frequency")
_LEFT, _TOP, _WIDE, _HIGH = 150, 96, 120, 92  # where the grid begins, and the size of a cell
_INK, _MUTED, _RULE, _SHADE, _WITHIN, _BEYOND = (
    "#1a1a1a",
    "#595959",
    "#8c8c8c",
    "#dbe9f6",
    "#08519c",
    "#b35806",
)

Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its words.

    Attributes
    ----------
    svg : str
        The drawing, with title and description.
    alt : str
        What it shows, in one sentence.
    """

    svg: str
    alt: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing as SVG."""
        files.write(Path(path), self.svg)

    def __html__(self) -> str:
        """Return the drawing for a page; its text was escaped when it was drawn."""
        return f'<figure tabindex="0">{self.svg}</figure>'

    _repr_html_ = __html__

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>"


def wording_picture(data: object) -> Picture:
    """Draw each claim that evidence could measure by its wording and the strength of its evidence.

    Claims of an effect or a frequency are drawn, each once at its strongest wording. What stands in a
    textbook, in the history books or in the ledger itself is looked up, not graded, and left out.

    Parameters
    ----------
    data : Evidence or Ledger
        The claims.

    Returns
    -------
    Picture
        Its `svg`, and in `alt` how many claims are worded more strongly than their evidence allows (GRADE
        guidelines 26).

    Examples
    --------
    >>> import mesoevidence as me
    >>> me.wording_picture(me.load()).svg.startswith("<svg")
    True
    """
    cells = counted(of(data))
    total = sum(cells.values())
    beyond = sum(n for (wording, strength), n in cells.items() if strength not in ALLOWED[wording])
    alt = (
        f"{beyond} of {total} claims are worded more strongly than their evidence allows: claims by wording "
        "(certain, probable, possible) and strength of evidence (none, very low, low, moderate, high)."
    )
    return Picture(_svg(cells, total, beyond, alt), alt)


def counted(ledger: Ledger) -> dict[Cell, int]:
    """Return how many claims have each wording and strength."""
    found = dict.fromkeys(((wording, strength) for wording in WORDINGS for strength in STRENGTHS), 0)
    for claim in ledger.claims.values():
        cell = (strongest_wording(claim) or "", evidence_strength(claim, ledger))
        if (
            claim.asserts in _MEASURED
            and claim.kind not in ("background", "evidence-state")
            and cell in found
        ):
            found[cell] += 1
    return found


def _svg(cells: Mapping[Cell, int], total: int, beyond: int, alt: str) -> str:
    width, height = _LEFT + _WIDE * len(STRENGTHS) + 20, _TOP + _HIGH * len(WORDINGS) + 82
    title = "How strongly claims are worded, and how strong their evidence is"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">',
        f"<title>{title}</title>",
        f"<desc>{escape.html(alt)}</desc>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(16, 28, title, size=16, weight="bold"),
        _text(
            16, 50, f"Each mark is one claim ({total}). {beyond} are worded more strongly than is allowed."
        ),
        *_axes(),
        *(part for cell in cells for part in _cell(cell, cells[cell])),
        *_legend(_TOP + _HIGH * len(WORDINGS) + 62),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axes() -> Iterator[str]:
    """Yield the names of rows and columns."""
    for column, strength in enumerate(STRENGTHS):
        middle = _LEFT + _WIDE * column + _WIDE // 2
        yield _text(middle, _TOP - 12, strength.replace("-", " "), anchor="middle", weight="bold")
    for row, (wording, word) in enumerate(WORDINGS.items()):
        middle = _TOP + _HIGH * row + _HIGH // 2
        yield _text(_LEFT - 12, middle - 2, wording, anchor="end", weight="bold")
        yield _text(_LEFT - 12, middle + 15, word, anchor="end", colour=_MUTED)
    yield _text(_LEFT, _TOP + _HIGH * len(WORDINGS) + 22, "strength of the evidence (GRADE) →", colour=_MUTED)
    yield _text(_LEFT - 12, _TOP - 12, "wording ↓", anchor="end", colour=_MUTED)


def _cell(cell: Cell, count: int) -> Iterator[str]:
    """Yield one cell: its ground, its count, and a mark for each claim."""
    wording, strength = cell
    allowed = strength in ALLOWED[wording]
    left = _LEFT + _WIDE * STRENGTHS.index(strength)
    top = _TOP + _HIGH * list(WORDINGS).index(wording)
    ground = _SHADE if allowed else "#ffffff"
    yield f'<rect x="{left}" y="{top}" width="{_WIDE}" height="{_HIGH}" fill="{ground}" stroke="{_RULE}"/>'
    if count:
        yield _text(left + _WIDE - 6, top + 15, str(count), anchor="end", weight="bold")
    yield from _marks(left + 8, top + 22, count, allowed=allowed)


def _marks(left: int, top: int, count: int, *, allowed: bool) -> Iterator[str]:
    """Yield the marks of a cell in rows, as large as the cell has room for."""
    wide, high = _WIDE - 16, _HIGH - 28
    pitch = next(
        p / 4 for p in range(72, 0, -1) if floor(wide * 4 / p) * floor(high * 4 / p) >= count or p == 1
    )
    per_row = floor(wide / pitch)
    for number in range(count):
        x, y = left + pitch * (number % per_row + 0.5), top + pitch * (number // per_row + 0.5)
        yield _mark(x, y, 0.36 * pitch, allowed=allowed)


def _mark(x: float, y: float, radius: float, *, allowed: bool) -> str:
    """Return a filled circle for a wording that is allowed, an open one for a wording that is not."""
    fill, line = (_WITHIN, _WITHIN) if allowed else ("#ffffff", _BEYOND)
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{radius:.3g}" fill="{fill}" stroke="{line}" stroke-width="1.6"/>'
    )


def _legend(y: int) -> Iterator[str]:
    """Yield what the marks mean."""
    yield _mark(22, y - 4, 5, allowed=False)
    yield _text(34, y, "worded more strongly than the evidence allows")
    yield _mark(366, y - 4, 5, allowed=True)
    yield _text(378, y, "wording allowed; shaded: where it is")


def _text(
    x: int,
    y: int,
    text: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
    size: int = 12,
    colour: str = _INK,
) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}" '
        f'fill="{colour}">{escape.html(text)}</text>'
    )
