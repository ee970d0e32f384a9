"""Which columns of a forest plot stand on the page, how wide they are, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from mesoevidence.charts import kit
from mesoevidence.charts.axis import Axis, axis, heading, limits_of, null_of, number
from mesoevidence.charts.kit import Align, Print, width_of, wrap
from mesoevidence.charts.rows import Content, Row
from mesoevidence.fitting import COUNTED
from mesoevidence.formulas import MEASURES
from mesoevidence.problems import EvidenceError

_DROPPED = ("lights", "weight", "extra", "arms")  # in this order, when the page is narrow
_PLOT, LIGHT = 2.5, 0.205


@dataclass(frozen=True, slots=True)
class Style:
    """What journals differ in."""

    order: str  # l study, a arms, p plot, e effect, w weight, r risk of bias
    study: str
    interval: tuple[str, str, str]
    square: str = kit.BLUE
    subtotal: str = kit.SKY
    total: str = kit.BLUE
    fraction: bool = False
    lead: bool = True
    spread: bool = True
    zebra: bool = True
    bold: bool = True
    favours_on_top: bool = False
    spaced: bool = True
    revman: bool = False  # squares coloured by the kind of data, and how it was pooled over the effects


# After the layouts of R's meta 8.4 (forest.meta: RevMan5, JAMA, BMJ), which follow the journals.
STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "standard": Style("lapewr", "Study or subgroup", (" [", ", ", "]")),
        "cochrane": Style(
            "lawepr", "Study or subgroup", (" [", ", ", "]"), subtotal=kit.INK, total=kit.INK, zebra=False,
            revman=True,
        ),
        "jama": Style(
            "laepwr", "Source", (" (", " to ", ")"), "#1F3A5F", "#A9C7E8", "#A9C7E8",
            lead=False, spread=False, zebra=False, favours_on_top=True, spaced=False,
        ),
        "bmj": Style(
            "lapwer", "Study", (" (", " to ", ")"), kit.INK, kit.INK, kit.INK,
            fraction=True, zebra=False, bold=False,
        ),
    }
)  # fmt: skip

# RevMan's blue for events, green for means, and red for what was typed as an effect.
_KINDS = MappingProxyType({"table": kit.BLUE, "events": kit.BLUE, "means": kit.GREEN, "mean": kit.GREEN})


@dataclass(slots=True)
class Field:
    """A column of the page: what it holds row by row, and where it stands."""

    part: str
    head: str
    cells: tuple[str, ...] = ()
    align: Align = "center"
    arm: str = ""
    width: float = 0.0
    left: float = 0.0
    lines: Sequence[str] = ()

    @property
    def right(self) -> float:
        """The x at which it ends."""
        return self.left + self.width

    @property
    def edge(self) -> float:
        """The x at which its text is aligned."""
        return self.left + self.width * {"left": 0.0, "center": 0.5, "right": 1.0}[self.align]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that stand on the page, its width, the axis, and all that is said."""

    fields: Sequence[Field]
    width: float
    axis: Axis
    said: Content
    style: Style
    size: Print
    hide: frozenset[str]
    grey: bool
    mid: tuple[float, float] | None
    favours: tuple[str, str] | None

    @property
    def parts(self) -> dict[str, Field]:
        """The columns by what they are; of several that are alike the last."""
        return {field.part: field for field in self.fields}


def _fields(said: Content, style: Style, digits: int) -> list[Field]:
    """Return all columns of the page in the order of the style."""
    opening, _, closing = style.interval
    how = _how(said.pooled.method) if style.revman and said.pooled else ""
    level = f"{opening.strip()}{how}{100 * said.level:g}%\u00a0CI{closing}"
    effect = f"{heading(said.measure, log=False)} {level}"
    effects = tuple(_interval(row, said, style, digits) for row in said.rows)
    texts = {own.keys: tuple(row.cells.get(own.keys, "") for row in said.rows) for own in said.columns}
    weights = tuple("" if row.weight is None else f"{row.weight:.1f}%" for row in said.rows)
    parts: dict[str, list[Field]] = {
        "l": [Field("label", said.head or style.study, tuple(row.label for row in said.rows), "left")],
        "a": [Field(own.part, own.head, texts[own.keys], own.align, own.arm) for own in said.columns],
        "p": [Field("plot", "" if style.favours_on_top else heading(said.measure))],
        "e": [Field("effect", effect, effects, "right")],
        "w": [Field("weight", "Weight", weights, "right")] if said.pooled else [],
        "r": [Field("lights", "Risk of bias")] if said.domains else [],
    }
    return [field for letter in style.order for field in parts[letter]]


def _how(method: str) -> str:
    """Return how studies were pooled, in the words of RevMan."""
    return f"{method if method in COUNTED else 'IV'}, {'Fixed' if method in (*COUNTED, 'EE') else 'Random'}, "


def _interval(row: Row, said: Content, style: Style, digits: int) -> str:
    """Return estimate and interval as they are printed."""
    if row.interval is None:
        return "Not estimable" if row.kind == "study" else ""
    opening, between, closing = style.interval
    estimate, low, high = (number(MEASURES[said.measure].shown(value), digits) for value in row.interval)
    if row.kind == "prediction":
        return f"{opening.strip()}{low}{between}{high}{closing}"
    if not row.bounded:
        return f"{estimate}, no interval"
    return f"{estimate}{opening}{low}{between}{high}{closing}"


def _wide(field: Field, said: Content, style: Style, size: Print) -> float:
    """Return the width that the widest cell of a column needs; a heading is wrapped rather than widen it."""
    head = width_of(field.head, size.body, True)
    if field.part == "plot":
        return _PLOT * size.scale
    if field.part == "lights":
        return max((len(said.domains) * LIGHT + 0.06) * size.scale, head)
    label = field.part == "label"
    cells = [
        width_of(cell, size.body, thick(row, style)) + indent(row, said, size) * label
        for row, cell in zip(said.rows, field.cells, strict=True)
        if row.kind != "note"
    ]
    words = [width_of(word, size.body, True) for word in field.head.split(" ")]
    widest = max([*cells, *words, min(head, (1.7 if size.width is None else 0.9) * size.scale)])
    return min(widest, 3.2) if label else widest


def thick(row: Row, style: Style) -> bool:
    """Return whether a row is printed in bold."""
    return row.kind == "heading" or (style.bold and row.kind in ("subtotal", "total"))


def indent(row: Row, said: Content, size: Print) -> float:
    """Return how far a label stands in: studies under the name of a subgroup."""
    return 0.012 * size.body if row.kind == "study" and said.grouped else 0.0


def fit(
    said: Content, style: Style, size: Print, *, hide: frozenset[str] = frozenset(), digits: int = 2,
    grey: bool = False, mid: tuple[float, float] | None = None, favours: tuple[str, str] | None = None,
) -> Layout:  # fmt: skip
    """Choose the columns and their widths for the page, and the axis that stands between them."""
    if style.revman:
        style = replace(style, square=_KINDS.get(MEASURES[said.measure].shape, kit.VERMILLION))
    fields = [field for field in _fields(said, style, digits) if field.part not in hide]
    for field in fields:
        field.width = _wide(field, said, style, size)
    fields, x = _widened(fields, size) if size.width is None else _squeezed(fields, size), kit.PAD
    for field in fields:
        field.left, field.lines = x, wrap(field.head, field.width, size.body, True)
        field.lines += [""] if field.part == "lights" else []  # the numbers of the domains
        x = field.right + size.gap
    plot = next(field for field in fields if field.part == "plot")
    drawn = axis(said.measure, _limits(said, mid, favours is not None), (plot.left, plot.right), size.note)
    sides = favours if drawn.null is not None else None
    return Layout(fields, x - size.gap + kit.PAD, drawn, said, style, size, hide, grey, mid, sides)


def _widened(fields: list[Field], size: Print) -> list[Field]:
    """Return the columns with room for the name of each arm in three lines."""
    for arm in dict.fromkeys(field.arm for field in fields if field.arm):
        own = [field for field in fields if field.arm == arm]
        need = wide = sum(field.width for field in own) + size.gap * (len(own) - 1)
        while len(wrap(arm, need, size.body, True)) > 3 and need < 3:
            need += 0.1
        own[0].width += need - wide
    return fields


def _squeezed(fields: list[Field], size: Print) -> list[Field]:
    """Return the columns that a narrow page holds.

    First labels are wrapped, then columns are left out in their order, until the plot has room enough; if
    none is left, labels and plot share what there is.
    """
    label, plot = (next(field for field in fields if field.part == part) for part in ("label", "plot"))
    width = size.width or 0.0
    shortest, narrowest = min(label.width, max(0.14 * size.body, 0.2 * width)), max(1.05, 0.185 * width)
    for part in ("", *_DROPPED):
        fields = [field for field in fields if field.part != part]
        others = [field for field in fields if field.part not in ("label", "plot")]
        room = width - sum(field.width for field in others) - size.gap * (len(fields) - 1) - 2 * kit.PAD
        if room - shortest >= narrowest:
            break
    least = 0.5 * narrowest
    if room - min(shortest, 0.15 * width) < least:
        head = max(others, key=lambda field: field.width).head
        raise EvidenceError(f"the column {head!r} is too wide for the page; take width='double' or 'natural'")
    label.width = min(label.width, max(min(shortest, room - least), room - narrowest))
    plot.width = room - label.width
    return fields


def _limits(said: Content, mid: tuple[float, float] | None, sided: bool) -> tuple[float, float]:
    """Return the limits of the axis for all rows, with room where both sides of the null are named."""
    drawn = [(row, row.interval) for row in said.rows if row.interval]
    studies = [(interval, row.weight or 1.0) for row, interval in drawn if row.kind == "study"]
    pooled = [interval[1:] for row, interval in drawn if row.kind in ("subtotal", "total", "beside")]
    further = [interval[1:] for row, interval in drawn if row.kind == "prediction"]
    low, high = limits_of(said.measure, studies, [*pooled, mid] if mid else pooled, further)
    null, room = null_of(said.measure), 0.2 * (high - low)
    return (low, high) if null is None or not sided else (min(low, null - room), max(high, null + room))
