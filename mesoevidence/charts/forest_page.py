"""One page of a forest plot, drawn: heading, rows, axis, notes and legend."""

from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure

from mesoevidence.charts import kit, lights
from mesoevidence.charts.axis import Axis, Interval, heading
from mesoevidence.charts.forest_layout import LIGHT, Layout, indent, thick
from mesoevidence.charts.kit import Sheet, width_of, wrap
from mesoevidence.charts.rows import Row

_SQUARE = 0.17  # inches: the side of the heaviest study's square


def draw(page: Layout, rows: range, last: bool) -> Figure:
    """Return the figure of one page; notes and legend stand on the last."""
    sheet = Sheet(page.size, page.grey)
    top = y = _heading(sheet, page) + 0.25 * page.size.row
    heaviest = max((row.weight or 0 for row in page.said.rows if row.kind == "study"), default=0)
    shaded, ends = False, None
    for place in rows:
        row = page.said.rows[place]
        y += _before(row, place == rows[0], page)
        height, labels = _height(row, page)
        shaded = row.kind == "study" and not shaded
        if shaded and page.style.zebra and "zebra" not in page.hide:
            sheet.box(kit.PAD, y, page.width - kit.PAD, y + height, kit.ZEBRA, name="zebra")
        if row.kind == "total":
            ends = y + height / 2
            sheet.line([(kit.PAD, y - 0.03), (page.width - kit.PAD, y - 0.03)], kit.RULE, 0.8)
        _texts(sheet, page, place, labels, y + height / 2)
        _mark(sheet, page, row, y + height / 2, heaviest)
        _lights(sheet, page, row, y + height / 2)
        y += height
    y += 0.2 * page.size.row
    _lines(sheet, page, top, y, ends or y)
    y = page.axis.draw(sheet, y, page.size.note)
    if page.style.favours_on_top:
        effect = heading(page.said.measure, log=False)
        sheet.text(page.parts["plot"].edge, y + 0.08, effect, page.size.note, align="center", bold=True)
        y += 0.17
    elif page.favours:
        y = _favours(sheet, page, page.favours, y + 0.04, arrows=True)
    if last and "notes" not in page.hide:
        y = _legend(sheet, page, _notes(sheet, page, y + 0.14))
    return sheet.figure(page.width, y + kit.PAD)


def _before(row: Row, first: bool, page: Layout) -> float:
    """Return the room before a row."""
    room = {"heading": 0.35, "total": 0.45}.get(row.kind, 0.0) * (1 if page.style.spaced else 0.3)
    return 0.0 if first else room * page.size.row


def _height(row: Row, page: Layout) -> tuple[float, list[str]]:
    """Return how high a row is, and its label in lines."""
    size, note = page.size, row.kind == "note"
    if note:
        wide = page.parts["plot"].left - kit.PAD - 0.1
        text = row.label if width_of(row.label, size.note) <= wide else row.short
        lines = wrap(text, wide, size.note)
    else:
        wide = page.parts["label"].width - indent(row, page.said, size)
        lines = wrap(row.label, wide, size.body, thick(row, page.style))
    more = (len(lines) - 1) * kit.LEADING
    return (0.82 * size.row + more * size.note, lines) if note else (size.row + more * size.body, lines)


# Text ---------------------------------------------------------------------------------------------


def _heading(sheet: Sheet, page: Layout) -> float:
    """Draw the headings of the columns and the rule under them; return the y of the rule."""
    step, size, arms = page.size.body * kit.LEADING, page.size.body, list(_arms(page))
    own = max((len(field.lines) for field in page.fields if field.arm), default=0) * step + 0.07
    most = max(len(field.lines) for field in page.fields) * step
    high = max(most, max((len(lines) * step + own for _, _, lines in arms), default=0.0))
    y = kit.PAD
    if page.style.favours_on_top and page.favours:
        y = _favours(sheet, page, page.favours, y, arrows=False) + 0.5 * step
    bottom = y + high - 0.5 * step
    for field in page.fields:
        sheet.stack(field.edge, bottom, field.lines, 1, align=field.align, bold=True)
    for x, number, _ in _domains(page):
        sheet.text(x, bottom, number, size, align="center", bold=True)
    for left, right, lines in arms:
        sheet.stack((left + right) / 2, bottom - own, lines, 1, align="center", bold=True)
        under = bottom - own + size * 0.0105
        sheet.line([(left, under), (right, under)], kit.RULE, 0.6)
    rule = bottom + 0.75 * step
    sheet.line([(kit.PAD, rule), (page.width - kit.PAD, rule)], kit.INK, 1.0)
    return rule


def _arms(page: Layout) -> Iterator[tuple[float, float, list[str]]]:
    """Yield where each arm's name stands over its columns, and its lines."""
    for arm in dict.fromkeys(field.arm for field in page.fields if field.arm):
        own = [field for field in page.fields if field.arm == arm]
        left, right = own[0].left, own[-1].right
        yield left, right, wrap(arm, right - left, page.size.body, True)


def _texts(sheet: Sheet, page: Layout, place: int, labels: Sequence[str], y: float) -> None:
    """Write the cells of a row, its label in lines."""
    row, size = page.said.rows[place], page.size
    bold, x = thick(row, page.style), kit.PAD + indent(row, page.said, size)
    letters, colour = (size.note, kit.MUTED) if row.kind == "note" else (size.body, kit.INK)
    sheet.stack(x, y, labels, size=letters, bold=bold, colour=colour)
    for field in page.fields:
        if field.cells and field.part != "label":
            sheet.text(field.edge, y, field.cells[place], align=field.align, bold=bold)


# Marks --------------------------------------------------------------------------------------------


def _mark(sheet: Sheet, page: Layout, row: Row, y: float, heaviest: float) -> None:
    """Draw what a row says on the axis."""
    if row.interval is None:
        return
    axis, style, scale = page.axis, page.style, page.size.scale
    estimate, low, high = row.interval
    if row.kind in ("subtotal", "total", "beside"):
        tall = (0.092 if row.kind == "total" else 0.075) * scale
        left, middle, right = axis.x(low), axis.x(estimate), axis.x(high)
        fill = style.total if row.kind == "total" else style.subtotal
        corners = [(left, y), (middle, y - tall), (right, y), (middle, y + tall)]
        sheet.shape(corners, fill, name=f"diamond-{row.kind}")
        return
    if row.kind == "prediction":
        _whisker(sheet, axis, low, high, y, style.square, 2.2, "prediction")
        for end in filter(axis.holds, (low, high)):
            x = axis.x(end)
            sheet.line([(x, y - 0.05), (x, y + 0.05)], style.square, 1.2, layer=kit.MARKS, name="bound")
        return
    _whisker(sheet, axis, low, high, y, kit.INK, 1.1, "interval")
    if axis.holds(estimate):
        share = row.weight / heaviest if row.weight and heaviest else 0.3
        _square(sheet, axis, row.interval, y, _SQUARE * scale * share**0.5, style.square)


def _square(sheet: Sheet, axis: Axis, interval: Interval, y: float, side: float, fill: str) -> None:
    """Draw a square of area in proportion to weight, and over it an interval that it would hide."""
    estimate, low, high = interval
    x, half = axis.x(estimate), side / 2
    sheet.box(x - half, y - half, x + half, y + half, fill, kit.INK, layer=kit.SHAPES, name="square")
    if axis.x(high) - axis.x(low) < 1.25 * side:
        sheet.line([(axis.x(low), y), (axis.x(high), y)], kit.WHITE, 1.1, layer=kit.OVER, name="over")


def _whisker(
    sheet: Sheet, axis: Axis, low: float, high: float, y: float, colour: str, width: float, name: str
) -> None:
    """Draw an interval, with an arrow where it leaves the axis."""
    deep = 0.075
    begin = axis.left + deep / 2 if low < axis.low else axis.x(low)
    end = axis.right - deep / 2 if high > axis.high else axis.x(high)
    if end > begin:
        sheet.line([(begin, y), (end, y)], colour, width, layer=kit.MARKS, name=name)
    sides = (("left", axis.left, deep, low < axis.low), ("right", axis.right, -deep, high > axis.high))
    for side, x, inward, leaves in sides:
        if leaves:
            corners = [(x, y), (x + inward, y - 0.038), (x + inward, y + 0.038)]
            sheet.shape(corners, colour, colour, 0.2, name=f"arrow-{side}")


def _lines(sheet: Sheet, page: Layout, top: float, bottom: float, total: float) -> None:
    """Draw the null, the pooled estimate, and the band of what does not matter."""
    axis, pooled = page.axis, page.said.pooled
    if page.mid:
        sheet.box(axis.x(page.mid[0]), top, axis.x(page.mid[1]), bottom, kit.GRID, layer=kit.BACK, name="mid")
    if axis.null is not None:
        x = axis.x(axis.null)
        sheet.line([(x, top - 0.05), (x, bottom)], kit.INK, 0.8, name="null")
    if pooled and pooled.k > 1 and "pooled-line" not in page.hide:
        x = axis.x(pooled.estimate)
        sheet.line([(x, top), (x, total)], kit.BLUE, 0.8, name="pooled", dashed=True)


def _domains(page: Layout) -> list[tuple[float, str, str]]:
    """Return where the lights of each domain stand, its number and its name; the overall one is set off."""
    if "lights" not in page.parts:
        return []
    pitch, names = LIGHT * page.size.scale, page.said.domains
    begin = page.parts["lights"].edge - (pitch * (len(names) - 1) + 0.06) / 2
    places = [begin + place * pitch for place in range(len(names))]
    numbered = [(x, str(number), name) for number, (x, name) in enumerate(zip(places, names, strict=True), 1)]
    return [(x + 0.06, "O", name) if name == "overall" else (x, n, name) for x, n, name in numbered]


def _lights(sheet: Sheet, page: Layout, row: Row, y: float) -> None:
    """Draw the judgements of a study."""
    for x, _, domain in _domains(page):
        if domain in row.lights:
            lights.draw(sheet, x, y, 0.078 * page.size.scale, row.lights[domain])


# Below --------------------------------------------------------------------------------------------


def _favours(sheet: Sheet, page: Layout, sides: tuple[str, str], y: float, *, arrows: bool) -> float:
    """Write which side is better for whom, each in its half of the axis; return the y below."""
    axis, size, gap = page.axis, page.size.note, 0.08
    middle, edge = axis.x(0.0), page.width - kit.PAD
    if arrows:
        for end in (axis.left, axis.right):
            if abs(end - middle) > 0.2:
                _pointer(sheet, middle + (0.04 if end > middle else -0.04), end, y + 0.05)
        y += 0.11
    y += size * 0.0105
    ends, taken = [y], 0.0
    left, right = middle - gap, middle + gap
    halves = ((axis.left, left, left - kit.PAD), (right, axis.right, edge - right))
    for text, (low, high, room) in zip(sides, halves, strict=True):
        lines = wrap(text, max(high - low, min(1.2, room), 0.5), size, True)
        half = max(width_of(line, size, True) for line in lines) / 2
        centre = (low + high) / 2
        if 2 * half > high - low:
            centre = high - half if low == axis.left else low + half
        centre = min(max(centre, kit.PAD + half), edge - half)
        start = ends[-1] if centre - half < taken + 0.06 else y
        sheet.stack(centre, start, lines, 0, size=size, align="center", bold=True)
        ends.append(start + len(lines) * size * kit.LEADING)
        taken = centre + half
    return max(ends) - size * 0.009


def _pointer(sheet: Sheet, start: float, end: float, y: float) -> None:
    """Draw an arrow along the axis."""
    back = 0.06 if end > start else -0.06
    sheet.line([(start, y), (end - back / 2, y)], kit.INK, 0.9, layer=kit.MARKS, name="favours")
    sheet.shape([(end, y), (end - back, y - 0.03), (end - back, y + 0.03)], kit.INK, "none", name="head")


def _notes(sheet: Sheet, page: Layout, y: float) -> float:
    """Write what the numbers mean; return the y below."""
    marks = ["Squares: area in proportion to weight."] if page.said.pooled else []
    if any(_leaves(row, page.axis) for row in page.said.rows):
        marks.append("Arrows: the interval extends beyond the axis.")
    if page.mid:
        marks.append("Shaded: smaller than the minimal important difference.")
    return sheet.notes((*page.said.notes, " ".join(marks)), y, page.width)


def _leaves(row: Row, axis: Axis) -> bool:
    """Return whether an arrow is drawn in a row."""
    drawn = row.interval if row.kind in ("study", "prediction") else None
    return drawn is not None and (drawn[1] < axis.low or drawn[2] > axis.high)


def _legend(sheet: Sheet, page: Layout, y: float) -> float:
    """Write which domain each number stands for and what the lights mean; return the y below."""
    names = [f"{number} {name.replace('-', ' ')}" for _, number, name in _domains(page)]
    if not names:
        return y
    y = sheet.notes([f"Risk of bias: {', '.join(names)}"], y + 0.02, page.width)
    used = (word for row in page.said.rows for word in row.lights.values())
    return lights.legend(sheet, y + 0.04, page.width, used)
