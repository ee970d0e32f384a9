"""Documents for Word: real tables, wide ones on pages on their side, and the same bytes each time."""

import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
from docx import document as opened
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_ALIGN_VERTICAL
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.text.font import CT_RPr
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.section import Section
from docx.shared import Length, Mm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph as Written
from docx.text.run import Run

from mesoevidence.documents import Cell, Document, Grid, Heading, Line, Paragraph, Part, Picture, places
from mesoevidence.problems import EvidenceError

_NEVER = datetime(2000, 1, 1)  # the format asks for a date, and a clock would change the bytes
_LONG, _SHORT, _MARGIN = 297, 210, 15  # A4, in mm
_SYMBOLS = "DejaVu Sans"  # has both circles; where it is missing Word takes another font that has them


def word(document: Document) -> bytes:
    """Return a document as a package that Word and LibreOffice open; text is text, never a field."""
    made = docx.Document()
    _set_up(made, document.title)
    held, turned = document.blocks, document.turned
    _turn(made.sections[0], turned)
    made.add_heading(document.title, level=1)
    for before, block, after in zip((None, *held), held, (*held[1:], None), strict=False):
        shown = after if isinstance(block, Heading) else block  # a heading stands with what it heads,
        notes = turned and isinstance(block, Paragraph)  # and notes with the table above them
        wanted = document.turned or notes or (isinstance(shown, Grid) and shown.wide)
        if wanted != turned or (isinstance(before, Grid) and isinstance(block, Grid)):
            _turn(made.add_section(), turned := wanted)
        _BLOCKS[type(block)](made, block)
    return _settled(made)


def words(path: Path) -> str:
    """Return what the paragraphs of a package say.

    Raises
    ------
    EvidenceError
        When it is no package of Word.
    """
    data = io.BytesIO(path.read_bytes())
    try:
        return "\n".join(paragraph.text for paragraph in docx.Document(data).paragraphs)
    except Exception as error:  # python-docx raises whatever the first odd part leads it into
        raise EvidenceError(f"{path} is no document of Word") from error


def _turn(section: Section, turned: bool) -> None:
    """Set a section upright, or on its side."""
    section.orientation = WD_ORIENT.LANDSCAPE if turned else WD_ORIENT.PORTRAIT
    wide, high = (_LONG, _SHORT) if turned else (_SHORT, _LONG)
    section.page_width, section.page_height = Mm(wide), Mm(high)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Mm(_MARGIN))


def _room(made: opened.Document) -> float:
    """Return how wide text may be on the page at hand, in mm."""
    section = made.sections[-1]
    return (_LONG if section.orientation == WD_ORIENT.LANDSCAPE else _SHORT) - 2 * _MARGIN


def _heading(made: opened.Document, heading: Heading) -> None:
    made.add_heading(heading.text, level=heading.level)


def _paragraph(made: opened.Document, paragraph: Paragraph) -> None:
    written = made.add_paragraph()
    _write(written, paragraph.parts)
    written.paragraph_format.space_before = Pt(2)


def _picture(made: opened.Document, picture: Picture) -> None:
    """Add a page of a chart as it is drawn, no wider than the page, with the words for it."""
    held = io.BytesIO(picture.chart.png(picture.page))
    shape = made.add_picture(held)
    if shape.width > (most := Mm(_room(made))):
        shape.width, shape.height = most, round(shape.height * most / shape.width)
    shape._inline.docPr.set("descr", picture.chart.alt)


def _set_up(made: opened.Document, title: str) -> None:
    """Set the fonts and the properties, none of them from a clock."""
    looks = {"Normal": (8.5, 0), "Caption": (10, 8), "Heading 1": (14, 0), "Heading 2": (11, 12)}
    for name, (size, above) in (looks | {"Heading 3": (9, 8)}).items():
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
    """Add a table under its caption; its head of one or two lines stands on every page."""
    made.add_paragraph(grid.caption, style="Caption").paragraph_format.keep_with_next = True
    lines = 2 if grid.over else 1
    table = made.add_table(rows=lines + len(grid.body), cols=len(grid.head))
    table.autofit = False
    for at, share in enumerate(grid.widths):
        table.columns[at].width = Mm(share * _room(made))
    for number, made_row in enumerate(table.rows):
        _property(made_row._tr.get_or_add_trPr(), "cantSplit")
        if number < lines:
            _property(made_row._tr.get_or_add_trPr(), "tblHeader")
    cells = [made_row.cells for made_row in table.rows]  # asked of the table they are counted each time
    _head(cells, grid)
    for row, held in zip(grid.body, cells[lines:], strict=True):
        for at, item in places(row):
            target = _over(held[at], held[at + item.columns - 1])
            _fill(target, item)
            if grid.is_group(row):
                _property(target._tc.get_or_add_tcPr(), "shd", val="clear", color="auto", fill="F2F2F2")
                target.paragraphs[0].paragraph_format.keep_with_next = True
    _rule(table, Pt(7 if grid.dense else 8.5))


def _over(first: _Cell, last: _Cell) -> _Cell:
    """Return one cell from two corners; a cell by itself stays as it is."""
    return first if first is last else first.merge(last)


def _head(cells: list[tuple[_Cell, ...]], grid: Grid) -> None:
    """Write the head: a name over all its lines, or below a name over several columns."""
    last = 1 if grid.over else 0
    for begin, item in places(grid.over or tuple(Cell(()) for _ in grid.head)):
        end = begin + item.columns - 1
        if item.lines:
            _write(_over(cells[0][begin], cells[0][end]).paragraphs[0], (Part(item.text, "strong"),))
        for at in range(begin, end + 1):
            target = _over(cells[last if item.lines else 0][at], cells[last][at])
            _write(target.paragraphs[0], (Part(grid.head[at], "strong"),))
            target.vertical_alignment = WD_ALIGN_VERTICAL.BOTTOM


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


def _write(paragraph: Written, line: Line) -> None:
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


_BLOCKS: dict[type, Callable[[opened.Document, Any], None]] = {
    Heading: _heading, Paragraph: _paragraph, Grid: _table, Picture: _picture
}  # fmt: skip
