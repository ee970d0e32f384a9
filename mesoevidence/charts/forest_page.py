"""One page of a forest plot, drawn: heading, rows, axis, notes and legend."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from mesoevidence.charts import kit, lights
from mesoevidence.charts.axis import Axis, Interval
from mesoevidence.charts.forest_layout import Field, Layout, indent, thick
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
        _texts(sheet, page, place, labels, y, height)
        _mark(sheet, page, row, y + height / 2, heaviest)
        _lights(sheet, page, row, y + height / 2)
        y += height
    y += 0.2 * page.size.row
    _lines(sheet, page, top, y, ends or y)
    y = page.axis.draw(sheet, y, page.size.note)
    if page.style.favours_on_top:
        middle = (page.axis.left + page.axis.right) / 2
        sheet.text(middle, y + 0.08, page.effect, page.size.note, align="center", bold=True)
        y += 0.17
    elif page.favours and page.axis.null is not None:
        y = _favours(sheet, page, y + 0.04, arrows=True)
    if last and "notes" not in page.hide:
        y = _legend(sheet, page, _notes(sheet, page, y + 0.14))
    return sheet.figure(page.width, y + kit.PAD)


def _before(row: Row, first: bool, page: Layout) -> float:
    """Return the room before a row."""
    room = {"heading": 0.35, "total": 0.45}.get(row.kind, 0.0) * page.style.spaced
    return room * page.size.row * (not first)


def _height(row: Row, page: Layout) -> tuple[float, list[str]]:
    """Return how high a row is, and its label in lines."""
    field, size = page.field("label"), page.size
    assert field is not None  # noqa: S101 - every layout has labels
    if row.kind == "note":
        plot = page.field("plot")
        wide = (plot.left if plot else page.width) - kit.PAD - 0.1
        text = row.label if width_of(row.label, size.note) <= wide else row.short
        lines = wrap(text, wide, size.note)
        return 0.82 * size.row + (len(lines) - 1) * size.note * 0.0195, lines
    lines = wrap(row.label, field.width - indent(row, page.said, size), size.body, thick(row, page.style))
    return size.row + (len(lines) - 1) * size.body * 0.0195, lines


# Text ---------------------------------------------------------------------------------------------


def _heading(sheet: Sheet, page: Layout) -> float:
    """Draw the headings of the columns and the rule under them; return the y of the rule."""
    step, size, arms = page.size.body * 0.0195, page.size.body, _arms(page)
    own = max((len(field.lines) for field in page.fields if field.arm), default=0) * step + 0.07
    most = max(len(field.lines) + (field.key == "lights") for field in page.fields) * step
    high = max(most, max((len(lines) * step + own for _, _, lines in arms.values()), default=0.0))
    y = _favours(sheet, page, kit.PAD, arrows=False) + 0.5 * step if page.on_top else kit.PAD
    bottom = y + high - 0.5 * step
    for field in page.fields:
        if field.key == "lights":
            sheet.text(field.edge, bottom - step, field.head, size, align="center", bold=True)
            for x, word in zip(_places(field, page), _numbers(page), strict=True):
                sheet.text(x, bottom, word, size, align="center", bold=True)
            continue
        for back, line in enumerate(reversed(field.lines)):
            sheet.text(field.edge, bottom - back * step, line, size, align=field.align, bold=True)
    for left, right, lines in arms.values():
        for back, line in enumerate(reversed(lines)):
            sheet.text((left + right) / 2, bottom - own - back * step, line, size, align="center", bold=True)
        under = bottom - own + size * 0.0105
        sheet.line([(left, under), (right, under)], kit.RULE, 0.6)
    rule = bottom + 0.75 * step
    sheet.line([(kit.PAD, rule), (page.width - kit.PAD, rule)], kit.INK, 1.0)
    return rule


def _arms(page: Layout) -> dict[str, tuple[float, float, list[str]]]:
    """Return where each arm's name stands over its columns, and its lines."""
    found = {}
    for arm in dict.fromkeys(field.arm for field in page.fields if field.arm):
        own = [field for field in page.fields if field.arm == arm]
        left, right = own[0].left, own[-1].left + own[-1].width
        found[arm] = left, right, wrap(arm, right - left, page.size.body, True)
    return found


def _texts(sheet: Sheet, page: Layout, place: int, labels: Sequence[str], y: float, height: float) -> None:
    """Write the cells of a row, its label in lines."""
    row, size = page.said.rows[place], page.size
    note = row.kind == "note"
    letters = size.note if note else size.body
    step = letters * 0.0195
    first = y + (height - (len(labels) - 1) * step) / 2
    x = kit.PAD + indent(row, page.said, size)
    if not note:
        label = page.field("label")
        x = (label.left if label else kit.PAD) + indent(row, page.said, size)
    for line in labels:
        sheet.text(
            x, first, line, letters, bold=thick(row, page.style), colour=kit.MUTED if note else kit.INK
        )
        first += step
    for field in page.fields:
        if field.cells and field.key != "label":
            sheet.text(
                field.edge, y + height / 2, field.cells[place], align=field.align, bold=thick(row, page.style)
            )


# Marks --------------------------------------------------------------------------------------------


def _mark(sheet: Sheet, page: Layout, row: Row, y: float, heaviest: float) -> None:
    """Draw what a row says on the axis."""
    if row.interval is None:
        return
    axis, style, scale = page.axis, page.style, page.size.body / 8.5
    estimate, low, high = row.interval
    if row.kind in ("subtotal", "total"):
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
            sheet.line(
                [(x, y - 0.05), (x, y + 0.05)], style.square, 1.2, layer=kit.MARKS, name="prediction-end"
            )
        return
    _whisker(sheet, axis, low, high, y, kit.INK, 1.1, "interval")
    if axis.holds(estimate):
        share = row.weight / heaviest if row.weight and heaviest else 0.3
        _square(sheet, axis, row.interval, y, _SQUARE * scale * share**0.5, style.square)


def _square(sheet: Sheet, axis: Axis, interval: Interval, y: float, side: float, fill: str) -> None:
    """Draw a square of area in proportion to weight, and over it an interval that it would hide."""
    estimate, low, high = interval
    x, half = axis.x(estimate), side / 2
    corners = [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]
    sheet.shape(corners, fill, name="square")
    if axis.x(high) - axis.x(low) < 1.25 * side:
        sheet.line(
            [(axis.x(low), y), (axis.x(high), y)], kit.WHITE, 1.1, layer=kit.OVER, name="interval-over"
        )


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


def _places(field: Field, page: Layout) -> list[float]:
    """Return where the lights of each domain stand; the overall light is set off."""
    pitch = 0.205 * page.size.body / 8.5
    domains = page.said.domains
    wide = pitch * len(domains) + 0.06
    begin = field.left + (field.width - wide) / 2 + pitch / 2
    return [begin + place * pitch + 0.06 * (name == "overall") for place, name in enumerate(domains)]


def _numbers(page: Layout) -> list[str]:
    return ["O" if name == "overall" else str(place) for place, name in enumerate(page.said.domains, 1)]


def _lights(sheet: Sheet, page: Layout, row: Row, y: float) -> None:
    """Draw the judgements of a study."""
    field = page.field("lights")
    if field is None or not row.lights:
        return
    for x, domain in zip(_places(field, page), page.said.domains, strict=True):
        if domain in row.lights:
            lights.draw(sheet, x, y, 0.078 * page.size.body / 8.5, row.lights[domain])


# Below --------------------------------------------------------------------------------------------


def _favours(sheet: Sheet, page: Layout, y: float, *, arrows: bool) -> float:
    """Write which side is better for whom, each in its half of the axis; return the y below."""
    axis, size, gap = page.axis, page.size.note, 0.16
    assert page.favours is not None and axis.null is not None  # noqa: S101 - asked by the caller
    middle = axis.x(axis.null)
    if arrows:
        for end in (axis.left, axis.right):
            if abs(end - middle) > 0.2:
                _pointer(sheet, middle + (0.04 if end > middle else -0.04), end, y + 0.05)
        y += 0.11
    y += size * 0.0105
    ends, taken = [], None
    for text, low, high in (
        (page.favours[0], kit.PAD, middle - gap / 2),
        (page.favours[1], middle + gap / 2, page.width - kit.PAD),
    ):
        own = (axis.left, middle - gap / 2) if low == kit.PAD else (middle + gap / 2, axis.right)
        lines = wrap(text, max(own[1] - own[0], min(1.2, high - low), 0.5), size, True)
        wide = max(width_of(line, size, True) for line in lines)
        centre = min(max((own[0] + own[1]) / 2, kit.PAD + wide / 2), page.width - kit.PAD - wide / 2)
        if wide > own[1] - own[0]:
            centre = own[1] - wide / 2 if low == kit.PAD else own[0] + wide / 2
            centre = min(max(centre, kit.PAD + wide / 2), page.width - kit.PAD - wide / 2)
        start = y
        if taken is not None and centre - wide / 2 < taken + 0.06:
            start = ends[0]
        for place, line in enumerate(lines):
            sheet.text(centre, start + place * size * 0.0195, line, size, align="center", bold=True)
        taken = centre + wide / 2
        ends.append(start + len(lines) * size * 0.0195)
    return max(ends) - size * 0.009


def _pointer(sheet: Sheet, start: float, end: float, y: float) -> None:
    """Draw an arrow along the axis."""
    back = 0.06 if end > start else -0.06
    sheet.line([(start, y), (end - back / 2, y)], kit.INK, 0.9, layer=kit.MARKS, name="favours")
    sheet.shape(
        [(end, y), (end - back, y - 0.03), (end - back, y + 0.03)], kit.INK, kit.INK, 0.2, name="favours-head"
    )


def _notes(sheet: Sheet, page: Layout, y: float) -> float:
    """Write what the numbers mean; return the y below."""
    said, width = list(page.said.notes), page.width - 2 * kit.PAD
    marks = ["Squares: area in proportion to weight."] if page.said.pooled else []
    if any(_leaves(row, page.axis) for row in page.said.rows):
        marks.append("Arrows: the interval extends beyond the axis.")
    if page.mid:
        marks.append("Shaded: smaller than the minimal important difference.")
    for text in [*said, " ".join(marks)]:
        if text:
            y = sheet.paragraph(kit.PAD, y, text, width, page.size.note, colour=kit.MUTED)
    return y


def _leaves(row: Row, axis: Axis) -> bool:
    """Return whether an arrow is drawn in a row."""
    whiskers = row.interval is not None and row.kind in ("study", "prediction")
    return (
        whiskers and row.interval is not None and (row.interval[1] < axis.low or row.interval[2] > axis.high)
    )


def _legend(sheet: Sheet, page: Layout, y: float) -> float:
    """Write which domain each number stands for and what the lights mean; return the y below."""
    if page.field("lights") is None:
        return y
    names = map(" ".join, zip(_numbers(page), page.said.domains, strict=True))
    y = sheet.notes([f"Risk of bias: {', '.join(names).replace('-', ' ')}"], y + 0.02, page.width)
    used = (word for row in page.said.rows for word in row.lights.values())
    return lights.legend(sheet, y + 0.04, page.width, used)
