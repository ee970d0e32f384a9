"""Documents for Word and Excel, the same bytes each time; text is text, never a formula."""

import io
import math
import zipfile
from datetime import datetime
from typing import Any

import docx as python_docx
import xlsxwriter
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_ALIGN_VERTICAL
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt
from docx.text.run import Run

from mesoevidence.grids import Cell, Document, Grid, places

_NEVER = datetime(2000, 1, 1)  # both formats ask for a date; a clock would change the bytes
_WIDE, _HIGH, _MARGIN = 297, 210, 15  # A4 on its side, in mm
_SYMBOLS = "DejaVu Sans"  # has both circles; Word takes another font that has them where it is missing
_LONGEST = 32_767  # characters that a cell of Excel takes
_CHARACTERS = 165  # of a sheet's columns together


def docx(document: Document) -> bytes:
    """Return a document for Word: a page on its side, real tables with a head on every page."""
    made = python_docx.Document()
    _set_up(made, document.title)
    made.add_heading(document.title, level=1)
    for name, text in document.facts:
        _write(made.add_paragraph(), (_strong(f"{name}: "), (text, "plain")))
    for at, grid in enumerate(document.grids):
        caption = made.add_paragraph(grid.caption, style="Caption")
        caption.paragraph_format.page_break_before = at > 0
        caption.paragraph_format.keep_with_next = True
        _table(made, grid)
    for line in document.notes:
        paragraph = made.add_paragraph()
        _write(paragraph, line)
        paragraph.paragraph_format.space_before = Pt(2)
    return _settled(made)


def _strong(text: str) -> tuple[str, str]:
    return (text, "strong")


def _set_up(made: Any, title: str) -> None:  # noqa: ANN401 - python-docx has no types
    """Set the page, the fonts and the properties, none of them from a clock."""
    section = made.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(_WIDE), Mm(_HIGH)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Mm(_MARGIN))
    for name, size in (("Normal", 8.5), ("Caption", 10), ("Heading 1", 14)):
        style = made.styles[name]
        style.font.size, style.font.name = Pt(size), "Arial"
        style.element.rPr.rFonts.attrib.update(
            {qn(f"w:{part}"): "Arial" for part in ("ascii", "hAnsi", "cs", "eastAsia")}
        )
        for theme in ("asciiTheme", "hAnsiTheme", "cstheme", "eastAsiaTheme"):
            style.element.rPr.rFonts.attrib.pop(qn(f"w:{theme}"), None)
        style.font.color.rgb = None
        style.paragraph_format.space_after = Pt(2)
        style.paragraph_format.line_spacing = 1.0
    about = made.core_properties
    about.title, about.author, about.comments, about.keywords = title[:255], "mesoevidence", "", ""
    about.created = about.modified = _NEVER
    about.last_modified_by, about.revision = "mesoevidence", 1


def _table(made: Any, grid: Grid) -> None:  # noqa: ANN401
    """Add a table with two lines of head, which stand on every page."""
    table = made.add_table(rows=2 + len(grid.body), cols=len(grid.head))
    table.autofit = False
    for at, share in enumerate(grid.widths):
        table.columns[at].width = Mm(share * (_WIDE - 2 * _MARGIN))  # its cells' widths too
    _head(table, grid)
    for number, row in enumerate(grid.body, 2):
        for at, item in places(row):
            target = table.cell(number, at)
            if item.columns > 1:
                target = target.merge(table.cell(number, at + item.columns - 1))
            _fill(target, item)
        if grid.is_group(row):
            _property(target._tc.get_or_add_tcPr(), "shd", val="clear", color="auto", fill="F2F2F2")
            target.paragraphs[0].paragraph_format.keep_with_next = True
    _rule(table, Pt(7 if len(grid.head) > 10 else 8.5))


def _head(table: Any, grid: Grid) -> None:  # noqa: ANN401
    """Write the head: a name over two lines, or below a name over several columns."""
    for begin, item in places(grid.over):
        end = begin + item.columns - 1
        if item.lines:
            _write(table.cell(0, begin).merge(table.cell(0, end)).paragraphs[0], ((item.text, "strong"),))
        for at in range(begin, end + 1):
            target = table.cell(1, at) if item.lines else table.cell(0, at).merge(table.cell(1, at))
            _write(target.paragraphs[0], ((grid.head[at], "strong"),))
            target.vertical_alignment = WD_ALIGN_VERTICAL.BOTTOM
    for row in table.rows:
        _property(row._tr.get_or_add_trPr(), "cantSplit")
    for row in (table.rows[0], table.rows[1]):
        _property(row._tr.get_or_add_trPr(), "tblHeader")


def _property(parent: Any, name: str, *before: str, **values: str) -> Any:  # noqa: ANN401
    """Add a property that python-docx has no word for; Word wants it before some others."""
    element = OxmlElement(f"w:{name}")
    for key, value in values.items():
        element.set(qn(f"w:{key}"), value)
    if before:
        return parent.insert_element_before(element, *(f"w:{other}" for other in before))
    parent.append(element)
    return element


def _rule(table: Any, size: Length) -> None:  # noqa: ANN401
    """Draw the lines of a table, above, below and thin between its rows, and set the size of its letters."""
    borders = _property(table._tbl.tblPr, "tblBorders", "tblLayout", "tblLook")
    for side, width in (("top", "12"), ("bottom", "12"), ("insideH", "4")):
        _property(borders, side, val="single", sz=width, space="0", color="auto")
    margins = _property(table._tbl.tblPr, "tblCellMar", "tblLook")
    for side, width in (("top", "40"), ("left", "0"), ("bottom", "20"), ("right", "100")):
        _property(margins, side, w=width, type="dxa")
    for run in table._tbl.iter(qn("w:r")):
        Run(run, table).font.size = size


def _fill(target: Any, item: Cell) -> None:  # noqa: ANN401
    for at, line in enumerate(item.lines):
        _write(target.paragraphs[0] if at == 0 else target.add_paragraph(), line)


def _write(paragraph: Any, line: Any) -> None:  # noqa: ANN401
    for text, style in line:
        run = paragraph.add_run(text)
        run.bold = style == "strong" or None
        run.font.superscript = style == "mark" or None
        if style == "symbol":
            run.font.name = _SYMBOLS
            run._element.rPr.rFonts.attrib.update({qn(f"w:{part}"): _SYMBOLS for part in ("cs", "eastAsia")})


def _settled(made: Any) -> bytes:  # noqa: ANN401
    """Return a package whose parts carry no time of day."""
    raw, done = io.BytesIO(), io.BytesIO()
    made.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(done, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, old.read(name))
    return done.getvalue()


# Excel ------------------------------------------------------------------------------------------


def xlsx(document: Document) -> bytes:
    """Return a document for Excel, a sheet for each table, with its notes below it."""
    done = io.BytesIO()
    plain = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(done, plain)
    book.set_properties({"title": document.title[:255], "author": "mesoevidence", "created": _NEVER})
    shapes = _shapes(book)
    for grid in document.grids:
        _sheet(book.add_worksheet(grid.caption.partition(":")[0][:31]), document, grid, shapes)
    book.close()
    return done.getvalue()


def _shapes(book: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the formats of cells and of the parts in them."""
    font = {"font_name": "Arial", "font_size": 9}
    wrapped = {**font, "text_wrap": True, "valign": "top"}
    looks = {
        "plain": font, "strong": {**font, "bold": True}, "muted": {**font, "font_color": "#595959"},
        "mark": {**font, "font_script": 1}, "symbol": {"font_name": _SYMBOLS, "font_size": 9},
        "cell": {**wrapped, "bottom": 4}, "head": {**wrapped, "bold": True, "bottom": 1, "valign": "bottom"},
        "group": {**wrapped, "bg_color": "#F2F2F2", "bottom": 4}, "note": wrapped,
        "title": {**font, "bold": True, "font_size": 13},
    }  # fmt: skip
    looks |= {f"{name} strong": {**looks[name], "bold": True} for name in ("cell", "group", "note")}
    return {name: book.add_format(look) for name, look in looks.items()}


def _sheet(sheet: Any, document: Document, grid: Grid, shapes: dict[str, Any]) -> None:  # noqa: ANN401
    """Write one table with title, facts and notes."""
    last = len(grid.head) - 1
    widths = [share * _CHARACTERS for share in grid.widths]
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    sheet.write_string(0, 0, grid.caption, shapes["title"])
    row = 1
    for name, text in document.facts:
        row = _across(sheet, row, last, ((f"{name}: ", "strong"), (text, "plain")), shapes)
    for at, item in places(grid.over):
        _put(sheet, row, at, item.columns, item, shapes, "head" if item.lines else "note")
    for at, name in enumerate(grid.head):
        sheet.write_string(row + 1, at, name, shapes["head"])
    sheet.set_row(row + 1, 13 * max(_lines(name, widths[at]) for at, name in enumerate(grid.head)))
    sheet.freeze_panes(row + 2, 1)
    sheet.repeat_rows(row, row + 1)
    row += 2
    for cells in grid.body:
        for at, item in places(cells):
            _put(sheet, row, at, item.columns, item, shapes, "group" if grid.is_group(cells) else "cell")
        high = max(
            sum(
                _lines("".join(p[0] for p in line), sum(widths[at : at + item.columns]))
                for line in item.lines
            )
            for at, item in places(cells)
        )
        sheet.set_row(row, 12.5 * high + 3)
        row += 1
    row += 1
    for line in document.notes:
        row = _across(sheet, row, last, line, shapes)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)


def _across(sheet: Any, row: int, last: int, line: Any, shapes: dict[str, Any]) -> int:  # noqa: ANN401
    """Write a line over the whole width; return the next row."""
    _put(sheet, row, 0, last + 1, Cell((line,)), shapes, "note")
    sheet.set_row(row, 12.5 * _lines("".join(part[0] for part in line), _CHARACTERS) + 2)
    return row + 1


def _put(sheet: Any, row: int, at: int, columns: int, item: Cell, shapes: dict[str, Any], look: str) -> None:  # noqa: ANN401
    """Write a cell, its parts each in its own look."""
    if columns > 1:
        sheet.merge_range(row, at, row, at + columns - 1, "", shapes[look])
    parts = [
        (text, style)
        for number, line in enumerate(item.lines)
        for text, style in (*([("\n", "plain")] if number else []), *line)
        if text
    ]
    if sum(len(text) for text, _ in parts) > _LONGEST:
        parts = [("".join(text for text, _ in parts), "plain")]
    if not parts:
        sheet.write_blank(row, at, None, shapes[look])
    elif len(parts) == 1:
        text, style = parts[0]
        sheet.write_string(row, at, text[:_LONGEST], shapes.get(f"{look} {style}", shapes[look]))
    else:
        rich = [piece for text, style in parts for piece in (shapes[style], text)]
        sheet.write_rich_string(row, at, *rich, shapes[look])


def _lines(text: str, width: float) -> int:
    """Return how many lines a text fills, roughly: no format tells."""
    return max(1, math.ceil(0.9 * len(text) / width))
