"""What all charts share: text measured in inches, a palette, and a sheet to draw on.

How to add a chart
------------------
1. Write ``charts/NAME.py`` with one public function that takes values (a `Pooled`, a table) and keyword
   options, among them ``width="natural" | "double" | "single"`` and ``grey=False``, and returns a `Chart`.
2. Ask `printing(width)` for the page width and the text sizes, and measure before drawing: `width_of` for
   one line, `wrap` for several. Lengths are inches, y grows downward, a text stands centred on its y.
3. Draw on a `Sheet`: `text`, `paragraph`, `line`, `shape`, `box`, `disc`. Name every kind of mark
   (``name="square"``): the name becomes the id of its group in the SVG, and tests find the marks by it. A
   layer is one of `BACK`, `RULES`, `MARKS`, `SHAPES`, `OVER`; text is always on top. Colour is never alone: a
   sign or a word repeats it. ``Sheet(size, grey=True)`` turns every colour into the grey of its lightness.
   A chart that is a table (labels, drawn columns, notes below, pages) is a call of `grid.grid`.
4. Return ``Chart((sheet.figure(width, height),), data, title, alt, rows)``: the frame drawn, one sentence of
   at most 250 characters for those who cannot see it (`chart.sentence`), and each row in words.
5. Add the function to ``_HOME`` of the package and a drawing of it to ``CASES`` in
   ``tests/test_charts_kit.py``, which holds every chart to the laws of the kit at every width and in grey.
"""

import math
import re
from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from itertools import groupby
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import matplotlib as mpl
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D

from mesoevidence.problems import EvidenceError

INK, MUTED, RULE, GRID, ZEBRA, BAND = "#1A1A1A", "#595959", "#8C8C8C", "#D9D9D9", "#F4F6F8", "#E9EDF1"
# Okabe and Ito (2008), "Color Universal Design": told apart with every kind of colour blindness.
BLUE, ORANGE, VERMILLION, GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
SKY, YELLOW, PURPLE, WHITE = "#56B4E9", "#F0E442", "#CC79A7", "#FFFFFF"
BACK, RULES, MARKS, SHAPES, OVER = 0, 1, 2, 3, 4
PAD, GAP = 0.10, 0.16  # around the page, between columns
LEADING = 0.0195  # from line to line, in inches for each point of the letters

Align = Literal["left", "center", "right"]
Point: TypeAlias = tuple[float, float]
Entry: TypeAlias = tuple[Callable[[float, float], None], str]  # of a legend: what draws its mark, its words
_Pen: TypeAlias = tuple[str, float, bool]
_Shape: TypeAlias = tuple[Path, Point | None, str, str, float]
Width = Literal["natural", "double", "single"]

_FONT = "DejaVu Sans"  # ships with matplotlib, so that every machine draws the same
_FURTHER = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Source Han Sans SC",
    "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "PingFang SC", "Hiragino Sans GB", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew",
    "Noto Sans Devanagari", "Arial Unicode MS",
)  # fmt: skip
_FAMILY = f"{_FONT}, Verdana, sans-serif"  # in SVG: Verdana is the next of kin that others have
SETTINGS: dict[Any, Any] = {
    **{name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")},
    "svg.hashsalt": "mesoevidence", "text.hinting": "none", "pdf.fonttype": 42, "path.simplify": False,
}  # fmt: skip
_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010fffd]")
_BLANKS = re.compile("[ \t\n\r\v\f\x85\u2028\u2029]+")  # a no-break or thin space stays
_TURNING = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f]")  # no mark of their own


# Text ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Print:
    """One way to print: width of the page in inches, None for as wide as needed, and text sizes in points."""

    width: float | None
    body: float
    note: float
    palette: str = "own"  # of the lights

    @property
    def row(self) -> float:
        """The height of a row of text."""
        return self.body * 0.0276

    @property
    def scale(self) -> float:
        """How large everything is, measured by that of a natural page."""
        return self.body / 8.5

    @property
    def gap(self) -> float:
        """The room between the columns of a forest plot."""
        return GAP * self.scale


WIDTHS = MappingProxyType(
    {"natural": Print(None, 8.5, 7.5), "double": Print(180 / 25.4, 7.5, 7), "single": Print(89 / 25.4, 7, 7)}
)


def printing(width: str, palette: str = "own") -> Print:
    """Return how to print at a width, and in which colours lights shine.

    >>> printing("single").body
    7
    """
    if width not in WIDTHS:
        raise EvidenceError(f"`width` is {', '.join(WIDTHS)}, not {width!r}")
    if palette not in ("own", "cochrane"):
        raise EvidenceError(f"`palette` is own or cochrane, not {palette!r}")
    return replace(WIDTHS[width], palette=palette)


def clean(text: object) -> str:
    r"""Return text in one line, with a box for what no file may hold.

    >>> clean("two\nlines\x00")
    'two lines□'
    """
    return _ILLEGAL.sub("□", _BLANKS.sub(" ", str(text)).strip(" "))


@cache
def _known() -> tuple[frozenset[int], tuple[tuple[str, frozenset[int]], ...]]:
    """Return the characters that the font has, light and bold, and those of each further font installed."""
    faces = (FontProperties(family=_FONT, weight=weight) for weight in ("normal", "bold"))
    both = [get_font(findfont(face)).get_charmap() for face in faces]
    there = {entry.name for entry in fontManager.ttflist}
    further = [name for name in _FURTHER if name in there]
    charmaps = ((name, frozenset(get_font(findfont(name)).get_charmap())) for name in further)
    return frozenset(both[0]) & frozenset(both[1]), tuple(charmaps)


@lru_cache(maxsize=50_000)
def _spelled(text: str) -> tuple[str, tuple[str, ...]]:
    """Return text with a box for each character that no font has, and the fonts it needs."""
    own, further = _known()
    text, used = _TURNING.sub("", clean(text)), [_FONT]
    strange = {*map(ord, text)} - own
    for name, charmap in further:
        if strange & charmap:
            used.append(name)
            strange -= charmap
    return text.translate(dict.fromkeys(strange, "□")), tuple(used)


@lru_cache(maxsize=200)
def _face(families: tuple[str, ...], size: float, bold: bool) -> FontProperties:
    heavy = {entry.name for entry in fontManager.ttflist if entry.weight in ("bold", 700)}
    bold = bold and heavy.issuperset(families)  # a font without a bold face is named in a warning
    return FontProperties(family=list(families), size=size, weight="bold" if bold else "normal")


@lru_cache(maxsize=50_000)
def _ems(text: str, bold: bool) -> float:
    """Return the width of a line as a multiple of its letters' size; nothing is hinted, so it scales."""
    spelled, families = _spelled(text)
    if not spelled:
        return 0.0
    wide, *_ = text_to_path.get_text_width_height_descent(spelled, _face(families, 1.0, bold), ismath=False)
    return float(wide)


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a line in inches, rounded up to a hundredth.

    >>> 0.3 < width_of("Study", 8.5, bold=True) < 0.5
    True
    """
    return math.ceil(_ems(text, bold) * size / 0.72 - 1e-9) / 100


def wrap(text: object, width: float, size: float, bold: bool = False) -> list[str]:
    """Return text in lines that are no wider than `width`; a longer word is broken.

    >>> wrap("Deviations from intended interventions", 1.2, 8)
    ['Deviations from', 'intended', 'interventions']
    """
    text, width = clean(text), width + 1e-6  # sums of lengths are not exact
    if width_of(text, size, bold) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer, size, bold) <= width:
            line = longer
            continue
        lines += [line] if line else []
        line = word
        while width_of(line, size, bold) > width and len(line) > 1:
            heads = [line[:length] for length in range(2, len(line))]
            head = 1 + bisect(heads, width, key=partial(width_of, size=size, bold=bold))
            lines.append(line[:head])
            line = line[head:]
    return [*lines, line]


# Drawing ------------------------------------------------------------------------------------------


def grey_of(colour: str) -> str:
    """Return the grey that is as light as a colour (relative luminance, WCAG 2.2).

    >>> grey_of("#0072B2")
    '#6d6d6d'
    """
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    part = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return to_hex((part, part, part))


class Line(Text):
    """One line of text; in SVG it is real text, held to its width where the reader has another font.

    There it keeps also what no font of this machine can write: the reader's may.
    """

    whole = ""

    def draw(self, renderer: Any) -> None:  # noqa: ANN401 - any backend of matplotlib
        """Draw the line."""
        writer = getattr(renderer, "writer", None)
        if writer is None:
            super().draw(renderer)
            return
        (x, y), text = self.get_transform().transform(self.get_position()), self.get_text()
        size, bold = float(self.get_fontsize()), self.get_fontweight() == "bold"
        look = {
            "x": f"{x:.2f}", "y": f"{renderer.height - y:.2f}", "font-family": _FAMILY,
            "font-size": f"{size:g}", **({"font-weight": "bold"} if bold else {}),
            "fill": to_hex(self.get_color()), "text-anchor": _ANCHORS[self.get_horizontalalignment()],
            "textLength": f"{_ems(text, bold) * size:.2f}", "lengthAdjust": "spacingAndGlyphs",
        }  # fmt: skip
        if turn := self.get_rotation():
            look["transform"] = f"rotate({-turn:g} {look['x']} {look['y']})"
        writer.element("text", self.whole if _spelled(self.whole)[0] == text else text, attrib=look)


_ANCHORS = MappingProxyType({"left": "start", "center": "middle", "right": "end"})


@cache
def _circle(radius: float) -> Path:
    """Return one outline for all circles of a size, so that a file holds it once."""
    return Path.circle((0, 0), radius)


@dataclass(slots=True)
class Sheet:
    """What is to be drawn, in inches from the upper left corner."""

    printing: Print
    grey: bool = False
    _texts: list[Line] = field(default_factory=list)
    _lines: dict[tuple[int, str], dict[_Pen, list[Sequence[Point]]]] = field(default_factory=dict)
    _shapes: dict[tuple[int, str], list[_Shape]] = field(default_factory=dict)

    def _ink(self, colour: str) -> str:
        return grey_of(colour) if self.grey and colour != "none" else colour

    def text(
        self, x: float, y: float, text: object, size: float | None = None, *, align: Align = "left",
        bold: bool = False, colour: str = INK, turned: bool = False,
    ) -> None:  # fmt: skip
        """Write one line with its capitals centred on y; `turned` reads upward, its capitals centred on x."""
        spelled, families = _spelled(str(text))
        if not spelled:
            return
        size = size or self.printing.body
        down = 0.3645 * size / 72  # half the height of DejaVu's capitals
        line = Line(
            x + down * turned, y + down * (not turned), spelled, color=self._ink(colour),
            fontproperties=_face(families, size, bold), horizontalalignment=align,
            verticalalignment="baseline", rotation=90 * turned, rotation_mode="anchor", usetex=False,
            parse_math=False,
        )  # fmt: skip
        line.whole = _TURNING.sub("", clean(text))
        self._texts.append(line)

    def stack(self, x: float, y: float, lines: Sequence[str], hang: float = 0.5, **how: Any) -> None:  # noqa: ANN401 - as in `text`
        """Write lines, on y all together, or the first of them (`hang` 0), or the last (1)."""
        step = (how.get("size") or self.printing.body) * LEADING
        for place, line in enumerate(lines):
            self.text(x, y + (place - hang * (len(lines) - 1)) * step, line, **how)

    def paragraph(
        self, x: float, y: float, text: object, width: float, size: float | None = None, **how: Any  # noqa: ANN401 - as in `text`
    ) -> float:  # fmt: skip
        """Write text in lines, the first centred on y; return the y of the line after the last."""
        size = size or self.printing.note
        lines = wrap(text, width, size, how.get("bold", False))
        self.stack(x, y, lines, 0, size=size, **how)
        return y + len(lines) * size * LEADING

    def notes(self, texts: Iterable[str], y: float, wide: float, colour: str = MUTED) -> float:
        """Write what is to be known over the whole width of the page; return the y below."""
        for text in filter(None, texts):
            y = self.paragraph(PAD, y, text, wide - 2 * PAD, colour=colour)
        return y

    def legend(
        self, entries: Iterable[Entry], y: float, wide: float, slot: float = 0.16, x: float = PAD,
        *, each: bool = False,
    ) -> float:  # fmt: skip
        """Draw each mark, in a slot so wide, with its words, `each` on a line; return the y below."""
        size, left = self.printing.note, x
        for mark, text in entries:
            own = slot + 0.06 + width_of(text, size)
            if x > left and (each or x + own > wide - PAD):
                x, y = left, y + size * 0.027
            mark(x + slot / 2, y)
            below = self.paragraph(x + slot + 0.06, y, text, wide - PAD - x - slot - 0.06, colour=MUTED)
            x, y = x + own + 0.2, below - size * LEADING
        return y + size * 0.03

    def line(
        self, points: Sequence[Point], colour: str = INK, width: float = 0.8,
        *, layer: int = RULES, name: str = "rule", dashed: bool = False,
    ) -> None:  # fmt: skip
        """Draw a line through points, its width in points."""
        pens = self._lines.setdefault((layer, name), {})
        pens.setdefault((self._ink(colour), width, dashed), []).append(points)

    def shape(
        self, outline: Path | Sequence[Point], fill: str = "none", edge: str = INK, width: float = 0.6,
        *, layer: int = SHAPES, name: str = "shape", at: Point | None = None,
    ) -> None:  # fmt: skip
        """Draw a filled shape, moved to `at`; points are joined to a polygon."""
        path = outline if isinstance(outline, Path) else Path([*outline, outline[0]], closed=True)
        held = self._shapes.setdefault((layer, name), [])
        held.append((path, at, self._ink(fill), self._ink(edge), width))

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: str, edge: str = "none",
        *, layer: int = BACK, name: str = "band",
    ) -> None:  # fmt: skip
        """Draw a rectangle."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self.shape(corners, fill, edge, layer=layer, name=name)

    def disc(self, x: float, y: float, radius: float, fill: str, *, name: str = "disc") -> None:
        """Draw a circle."""
        self.shape(_circle(radius), fill, name=name, at=(x, y))

    def figure(self, width: float, height: float) -> Figure:
        """Return the figure with all that was drawn."""
        with mpl.rc_context(SETTINGS):
            figure = Figure((width, height), facecolor="white")
            inches = Affine2D().scale(1, -1).translate(0, height) + figure.dpi_scale_trans
            for (layer, name), pens in self._lines.items():
                figure.add_artist(PathCollection(
                    [Path.make_compound_path(*map(Path, drawn)) for drawn in pens.values()],
                    edgecolors=[colour for colour, _, _ in pens], linewidths=[wide for _, wide, _ in pens],
                    linestyles=[(0, (3, 2)) if dashed else "solid" for _, _, dashed in pens],
                    transform=inches, zorder=layer, gid=name, capstyle="butt", facecolors="none",
                ))  # fmt: skip
            turned = Affine2D().scale(1, -1) + figure.dpi_scale_trans
            runs = (
                (key, list(run))
                for key, shapes in self._shapes.items()
                for _, run in groupby(shapes, lambda shape: shape[1] and id(shape[0]))
            )
            for (layer, name), run in runs:
                paths, places, fills, edges, strokes = zip(*run, strict=True)
                figure.add_artist(PathCollection(
                    paths[:1] if places[0] else paths, facecolors=fills, edgecolors=edges, linewidths=strokes,
                    transform=turned, offsets=[place or (0, 0) for place in places], offset_transform=inches,
                    zorder=layer, gid=name,
                ))  # fmt: skip
            for text in self._texts:
                text.set_transform(inches)
                text.set_zorder(OVER + 1)
                figure.add_artist(text)
        return figure
