"""Documents for Word: real tables on pages on their side, and the same bytes each time."""

import io
import zipfile
from collections.abc import Iterable
from datetime import datetime

import docx
from docx import document as opened
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_ALIGN_VERTICAL
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.text.font import CT_RPr
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Length, Mm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from mesoevidence.documents import Cell, Document, Grid, Line, Part, places

_NEVER = datetime(2000, 1, 1)  # the format asks for a date, and a clock would change the bytes
_WIDE, _HIGH, _MARGIN = 297, 210, 15  # A4 on its side, in mm
_SYMBOLS = "DejaVu Sans"  # has both circles; where it is missing Word takes another font that has them


def word(document: Document) -> bytes:
    """Return a document as a package that Word and LibreOffice open; text is text, never a field."""
    made = docx.Document()
    _set_up(made, document.title)
    made.add_heading(document.title, level=1)
    for name, text in document.facts:
        _write(made.add_paragraph(), (Part(f"{name}: ", "strong"), Part(text)))
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


def _set_up(made: opened.Document, title: str) -> None:
    """Set the page, the fonts and the properties, none of them from a clock."""
    section = made.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(_WIDE), Mm(_HIGH)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Mm(_MARGIN))
    for name, size, above in (("Normal", 8.5, 0), ("Caption", 10, 8), ("Heading 1", 14, 0)):
        style = made.styles[name]
        style.font.size, style.font.color.rgb = Pt(size), None
        _letter(style.element.get_or_add_rPr(), "Arial")
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(above), Pt(2)
        style.paragraph_format.line_spacing = 1.0
    about = made.core_properties
    about.title, about.author, about.comments = title[:255], "mesoevidence", ""
    about.created = about.modified = _NEVER
    about.last_modified_by, about.revision = "mesoevidence", 1


def _letter(properties: CT_RPr, face: str) -> None:
    """Set the typeface for every script, and no theme that would outdo it."""
    fonts = properties.get_or_add_rFonts().attrib
    fonts.clear()
    fonts.update({qn(f"w:{script}"): face for script in ("ascii", "hAnsi", "cs", "eastAsia")})


def _table(made: opened.Document, grid: Grid) -> None:
    """Add a table with two lines of head, which stand on every page."""
    table = made.add_table(rows=2 + len(grid.body), cols=len(grid.head))
    table.autofit = False
    for at, share in enumerate(grid.widths):
        table.columns[at].width = Mm(share * (_WIDE - 2 * _MARGIN))
    _head(table, grid)
    for number, row in enumerate(grid.body, 2):
        for at, item in places(row):
            target = _over(table, number, at, number, at + item.columns - 1)
            _fill(target, item)
            if grid.is_group(row):
                _property(target._tc.get_or_add_tcPr(), "shd", val="clear", color="auto", fill="F2F2F2")
                target.paragraphs[0].paragraph_format.keep_with_next = True
    _rule(table, Pt(7 if len(grid.head) > 10 else 8.5))


def _over(table: Table, top: int, left: int, bottom: int, right: int) -> _Cell:
    """Return one cell from two corners; a cell by itself stays as it is."""
    first = table.cell(top, left)
    return first if (top, left) == (bottom, right) else first.merge(table.cell(bottom, right))


def _head(table: Table, grid: Grid) -> None:
    """Write the head: a name over two lines, or below a name over several columns."""
    for begin, item in places(grid.over):
        end = begin + item.columns - 1
        if item.lines:
            _write(_over(table, 0, begin, 0, end).paragraphs[0], (Part(item.text, "strong"),))
        for at in range(begin, end + 1):
            target = _over(table, 1 if item.lines else 0, at, 1, at)
            _write(target.paragraphs[0], (Part(grid.head[at], "strong"),))
            target.vertical_alignment = WD_ALIGN_VERTICAL.BOTTOM
    for number, row in enumerate(table.rows):
        _property(row._tr.get_or_add_trPr(), "cantSplit")
        if number < 2:
            _property(row._tr.get_or_add_trPr(), "tblHeader")


def _property(
    parent: BaseOxmlElement, name: str, before: Iterable[str] = (), **values: str
) -> BaseOxmlElement:
    """Add a property that python-docx has no word for; Word wants some of them before others."""
    element = OxmlElement(f"w:{name}", {qn(f"w:{key}"): value for key, value in values.items()})
    follower = next((found for other in before if (found := parent.find(qn(f"w:{other}"))) is not None), None)
    if follower is None:
        parent.append(element)
    else:
        follower.addprevious(element)
    return element


def _rule(table: Table, size: Length) -> None:
    """Draw the lines of a table, above, below and thin between its rows, and set the size of its letters."""
    borders = _property(table._tbl.tblPr, "tblBorders", ("tblLayout", "tblLook"))
    for side, width in (("top", "12"), ("bottom", "12"), ("insideH", "4")):
        _property(borders, side, val="single", sz=width, space="0", color="auto")
    margins = _property(table._tbl.tblPr, "tblCellMar", ("tblLook",))
    for side, width in (("top", "40"), ("left", "0"), ("bottom", "20"), ("right", "100")):
        _property(margins, side, w=width, type="dxa")
    for run in table._tbl.iter(qn("w:r")):
        Run(run, table).font.size = size


def _fill(target: _Cell, item: Cell) -> None:
    for at, line in enumerate(item.lines):
        _write(target.paragraphs[0] if at == 0 else target.add_paragraph(), line)


def _write(paragraph: Paragraph, line: Line) -> None:
    for part in line:
        run = paragraph.add_run(part.text)
        run.bold = part.style == "strong" or None
        run.font.superscript = part.style == "mark" or None
        if part.style == "symbol":
            _letter(run._element.get_or_add_rPr(), _SYMBOLS)


def _settled(made: opened.Document) -> bytes:
    """Return a package whose parts carry no time of day."""
    raw, done = io.BytesIO(), io.BytesIO()
    made.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(done, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)
    return done.getvalue()
