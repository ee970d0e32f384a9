"""Which columns of a forest plot stand on the page, how wide they are, and where."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from mesoevidence.charts import kit
from mesoevidence.charts.axis import Axis, axis, heading, limits_of, null_of, number
from mesoevidence.charts.kit import Align, Print, width_of, wrap
from mesoevidence.charts.rows import Column, Content, Row
from mesoevidence.fitting import COUNTED
from mesoevidence.formulas import MEASURES
from mesoevidence.problems import EvidenceError

_DROPPED = ("lights", "weight", "extra", "arms")  # in this order, when the page is narrow
_PLOT, _LIGHT = 2.5, 0.205


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


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the page: what it holds row by row, and where it stands."""

    key: str
    part: str
    head: str
    cells: tuple[str, ...]
    align: Align = "right"
    arm: str = ""
    width: float = 0.0
    left: float = 0.0
    lines: tuple[str, ...] = ()

    @property
    def edge(self) -> float:
        """The x at which its text is aligned."""
        return self.left + self.width * {"left": 0.0, "center": 0.5, "right": 1.0}[self.align]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that stand on the page, its width, the axis, and all that is said."""

    fields: tuple[Field, ...]
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
    def on_top(self) -> bool:
        """Whether the names of the sides stand over the plot."""
        return self.style.favours_on_top and self.favours is not None and self.axis.null is not None

    @property
    def effect(self) -> str:
        """What the axis shows."""
        return heading(self.said.measure, log=False)

    def field(self, key: str) -> Field | None:
        """Return the column of that name, if it stands on the page."""
        return next((field for field in self.fields if field.key == key), None)


def _fields(said: Content, style: Style, size: Print, hide: frozenset[str], digits: int) -> list[Field]:
    """Return all columns of the page in the order of the style."""
    opening, _, closing = style.interval
    effect = heading(said.measure, log=False)
    how = _how(said.pooled.method) if style.revman and said.pooled else ""
    level = f"{opening.strip()}{how}{100 * said.level:g}%\u00a0CI{closing}"
    rows, heavy = said.rows, said.pooled is not None
    effects = tuple(_interval(row, said, style, digits) for row in rows)
    parts: dict[str, list[Field]] = {
        "l": [Field("label", "label", said.head or style.study, tuple(row.label for row in rows), "left")],
        "a": [_arm(column, said) for column in said.columns],
        "p": [Field("plot", "plot", "" if style.favours_on_top else heading(said.measure), (), "center")],
        "e": [Field("effect", "effect", f"{effect} {level}", effects)],
        "w": [Field("weight", "weight", "Weight", tuple(map(_weight, rows)))] if heavy else [],
        "r": [Field("lights", "lights", "Risk of bias", (), "center")] if said.domains else [],
    }
    fields = [field for letter in style.order for field in parts[letter]]
    return [_measured(field, said, style, size) for field in fields if field.part not in hide]


def _how(method: str) -> str:
    """Return how studies were pooled, in the words of RevMan."""
    return f"{method if method in COUNTED else 'IV'}, {'Fixed' if method in (*COUNTED, 'EE') else 'Random'}, "


def _arm(column: Column, said: Content) -> Field:
    cells = tuple(row.cells.get(column.key, "") for row in said.rows)
    return Field(column.key, column.part, column.head, cells, column.align, column.arm)


def _weight(row: Row) -> str:
    return "" if row.weight is None else f"{row.weight:.1f}%"


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


def _measured(field: Field, said: Content, style: Style, size: Print) -> Field:
    """Return a field with the width its widest cell needs; a heading is wrapped rather than widen it."""
    scale = size.body / 8.5
    if field.key == "plot":
        return replace(field, width=_PLOT * scale)
    if field.key == "lights":
        wide = (len(said.domains) * _LIGHT + 0.06) * scale
        return replace(field, width=max(wide, width_of(field.head, size.body, True)))
    cells = [
        width_of(cell, size.body, thick(row, style)) + indent(row, said, size) * (field.key == "label")
        for row, cell in zip(said.rows, field.cells, strict=True)
        if row.kind != "note"
    ]
    words = [width_of(word, size.body, True) for word in field.head.split(" ")]
    wide = 1.7 if size.width is None else 0.9
    widest = max([*cells, *words, min(width_of(field.head, size.body, True), wide * scale)])
    return replace(field, width=min(widest, 3.2) if field.key == "label" else widest)


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
    fields = _fields(said, style, size, hide, digits)
    scale = size.body / 8.5
    if size.width is None:
        label, plot = _room(fields, "label"), _PLOT * scale
    else:
        fields, label, plot = _squeezed(fields, size, kit.GAP * scale)
    if size.width is None:
        fields = _widened(fields, size)
    placed, x = [], kit.PAD
    for field in fields:
        width = {"label": label, "plot": plot}.get(field.key, field.width)
        lines = tuple(wrap(field.head, width, size.body, True))
        placed.append(replace(field, width=width, left=x, lines=lines))
        x += width + kit.GAP * scale
    span = next((field.left, field.left + field.width) for field in placed if field.key == "plot")
    drawn = axis(said.measure, _limits(said, mid, favours is not None), span, size.note)
    return Layout(
        tuple(placed), x - kit.GAP * scale + kit.PAD, drawn, said, style, size, hide, grey, mid, favours
    )


def _widened(fields: list[Field], size: Print) -> list[Field]:
    """Return the columns with room for the name of each arm in three lines."""
    for arm in dict.fromkeys(field.arm for field in fields if field.arm):
        own = [place for place, field in enumerate(fields) if field.arm == arm]
        wide = sum(fields[place].width for place in own) + kit.GAP * size.body / 8.5 * (len(own) - 1)
        need = wide
        while len(wrap(arm, need, size.body, True)) > 3 and need < 3:
            need += 0.1
        first = fields[own[0]]
        fields[own[0]] = replace(first, width=first.width + (need - wide))
    return fields


def _room(fields: list[Field], key: str) -> float:
    return next(field.width for field in fields if field.key == key)


def _squeezed(fields: list[Field], size: Print, gap: float) -> tuple[list[Field], float, float]:
    """Return the columns that a narrow page holds, with the widths of labels and plot.

    First labels are wrapped, then columns are left out in their order, until the plot has room enough.
    """
    width, label = size.width or 0.0, _room(fields, "label")
    shortest, narrowest = min(label, max(0.14 * size.body, 0.2 * width)), max(1.05, 0.185 * width)

    def rest(kept: list[Field]) -> float:
        inner = sum(field.width for field in kept if field.key not in ("label", "plot"))
        return width - inner - gap * (len(kept) - 1) - 2 * kit.PAD

    for part in ("", *_DROPPED):
        fields = [field for field in fields if field.part != part]
        if rest(fields) - shortest >= narrowest:
            break
    free = rest(fields) - shortest
    if free < 0.6 * narrowest:
        widest = max(
            (field for field in fields if field.key not in ("label", "plot")), key=lambda field: field.width
        )
        raise EvidenceError(
            f"the column {widest.head!r} is too wide for the page; take width='double' or 'natural'"
        )
    label = min(label, shortest + max(0.0, free - narrowest))
    return fields, label, rest(fields) - label


def _limits(said: Content, mid: tuple[float, float] | None, sided: bool) -> tuple[float, float]:
    """Return the limits of the axis for all rows, with room where both sides of the null are named."""
    drawn = [(row, row.interval) for row in said.rows if row.interval]
    studies = [(interval, row.weight or 1.0) for row, interval in drawn if row.kind == "study"]
    pooled = [interval[1:] for row, interval in drawn if row.kind in ("subtotal", "total")]
    further = [interval[1:] for row, interval in drawn if row.kind == "prediction"]
    low, high = limits_of(said.measure, studies, [*pooled, mid] if mid else pooled, further)
    null, room = null_of(said.measure), 0.2 * (high - low)
    return (low, high) if null is None or not sided else (min(low, null - room), max(high, null + room))
