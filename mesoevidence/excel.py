"""Documents for Excel: a sheet for each table, with text that is never a formula."""

import io
import math
from collections.abc import Mapping
from datetime import datetime

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from mesoevidence.documents import Cell, Document, Grid, Line, Paragraph, Part, cell, places

_NEVER = datetime(2000, 1, 1)  # the format asks for a date, and a clock would change the bytes
_LONGEST = 32_767  # characters that a cell of Excel takes
_CHARACTERS = 165  # of a sheet's columns together
_TEXT_ONLY = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
Looks = Mapping[str, Format]


def excel(document: Document) -> bytes:
    """Return a document as a workbook: each table on a sheet, with all paragraphs around it."""
    done = io.BytesIO()
    book = Workbook(done, {"in_memory": True, **_TEXT_ONLY})
    book.set_properties({"title": document.title[:255], "author": "mesoevidence", "created": _NEVER})
    looks = _looks(book)
    for grid in document.grids:
        _sheet(book.add_worksheet(grid.caption.partition(":")[0][:31]), document, grid, looks)
    book.close()
    return done.getvalue()


def _looks(book: Workbook) -> Looks:
    """Return the formats of cells and of the parts in them."""
    font = {"font_name": "Arial", "font_size": 9}
    wrapped = {**font, "text_wrap": True, "valign": "top"}
    looks: dict[str, dict[str, object]] = {
        "plain": font, "strong": {**font, "bold": True}, "muted": {**font, "font_color": "#595959"},
        "mark": {**font, "font_script": 1}, "symbol": {"font_name": "DejaVu Sans", "font_size": 9},
        "cell": {**wrapped, "bottom": 4}, "head": {**wrapped, "bold": True, "bottom": 1, "valign": "bottom"},
        "group": {**wrapped, "bg_color": "#F2F2F2", "bottom": 4}, "note": {**wrapped},
        "title": {**font, "bold": True, "font_size": 13},
    }  # fmt: skip
    looks |= {f"{name} strong": {**looks[name], "bold": True} for name in ("cell", "group", "note")}
    return {name: book.add_format(look) for name, look in looks.items()}


def _sheet(sheet: Worksheet, document: Document, grid: Grid, looks: Looks) -> None:
    """Write one table, with the paragraphs before the first one and those after the last one."""
    held = document.blocks
    ends = [at for at, block in enumerate(held) if isinstance(block, Grid)]
    before, after = (
        [block.parts for block in part if isinstance(block, Paragraph)]
        for part in (held[: ends[0]], held[ends[-1] :])
    )
    widths = [share * _CHARACTERS for share in grid.widths]
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    sheet.write_string(0, 0, grid.caption[:_LONGEST], looks["title"])
    top = _below(sheet, 1, before, widths, looks)
    for at, item in places(grid.over):
        _put(sheet, top, at, item, looks, "head" if item.lines else "note")
    _row(sheet, top + 1, tuple(cell(name) for name in grid.head), widths, looks, "head")
    for number, row in enumerate(grid.body, top + 2):
        _row(sheet, number, row, widths, looks, "group" if grid.is_group(row) else "cell")
    _below(sheet, top + 3 + len(grid.body), after, widths, looks)
    sheet.freeze_panes(top + 2, 1)
    sheet.repeat_rows(top, top + 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)


def _below(sheet: Worksheet, begin: int, lines: list[Line], widths: list[float], looks: Looks) -> int:
    """Write lines over the whole width; return the next row."""
    for number, line in enumerate(lines, begin):
        _row(sheet, number, (cell(line, columns=len(widths)),), widths, looks, "note")
    return begin + len(lines)


def _row(
    sheet: Worksheet, number: int, row: tuple[Cell, ...], widths: list[float], looks: Looks, look: str
) -> None:
    """Write a row as high as its fullest cell, which no program finds out where cells are merged."""
    high = 1
    for at, item in places(row):
        _put(sheet, number, at, item, looks, look)
        wide = sum(widths[at : at + item.columns])
        # a letter of this size is a little narrower than the unit of a column's width
        high = max(high, sum(max(1, math.ceil(0.9 * len(line) / wide)) for line in item.text.split("\n")))
    sheet.set_row(number, 12.5 * high + 3)


def _put(sheet: Worksheet, row: int, at: int, item: Cell, looks: Looks, look: str) -> None:
    """Write a cell, its parts each in its own look; over several columns where it says so."""
    if item.columns > 1:
        sheet.merge_range(row, at, row, at + item.columns - 1, "", looks[look])
    parts = [
        part
        for number, line in enumerate(item.lines)
        for part in (*([Part("\n")] if number else []), *line)
        if part.text
    ]
    if not parts:
        sheet.write_blank(row, at, None, looks[look])
    elif len(parts) == 1 or len(item.text) > _LONGEST:
        shape = looks.get(f"{look} {parts[0].style}", looks[look])
        sheet.write_string(row, at, item.text[:_LONGEST], shape)
    else:
        rich = [piece for part in parts for piece in (looks[part.style], part.text)]
        sheet.write_rich_string(row, at, *rich, looks[look])
