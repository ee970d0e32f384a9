"""What is written of a summary of findings: the same in every form, inert, and open to what opens it."""

import html
import io
import json
import re
import shutil
import subprocess
import zipfile
from xml.etree import ElementTree

import mistune
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import mesoevidence as me
from mesoevidence import escape
from tests import ledgers
from tests.test_findings import SYNTHESIS, Shown, summary, written

SUFFIXES = (".html", ".md", ".tex", ".docx", ".xlsx", ".csv")
HOSTILE = (
    "=1+1 | <script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) "
    r"`code` *b* _i_ \input{/etc/passwd} \write18{ls} $\frac{1}{2}$ 50 % & # ^ ~ {{ 7 * 7 }} "
    "https://example.org a@example.org --- ''q'' </td></tr></table> \"'> é µ ≥ 中"
)
TABLE = ("table", "thead", "tbody", "tr", "th", "td")


# What every format keeps ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a summary in which every text of a record is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    text = json.dumps(HOSTILE, ensure_ascii=False)  # YAML reads the double-quoted text of JSON
    topic = re.sub(r"label: [^,}\n]+", lambda _: f"label: {text}", ledgers.TOPIC)
    synthesis = SYNTHESIS.replace('"nobody was blind"', text).replace(
        "id: tea-v-water", f"id: tea-v-water\nlabel: {text}"
    )
    study = ledgers.STUDY.replace("    outcome: awake", f"    outcome: awake\n    time: {text}")
    found = summary(
        folder,
        {
            "evidence/topics/tea.yaml": topic,
            "evidence/syntheses/tea-v-water.yaml": synthesis,
            "evidence/studies/smith-2001.yaml": study,
        },
    )
    assert found.findings[0].follow_up == HOSTILE
    return found


def test_hostile_text_is_inert_in_html(hostile, tmp_path):
    page = written(hostile, tmp_path, ".html").decode()
    shown = Shown(page)

    allowed = "html head meta title style body main h1 section p strong table caption thead tbody tr th td "
    allowed += "br div span sup"
    assert set(shown.tags) <= set(allowed.split())
    allowed = "lang charset http-equiv content name class scope colspan rowspan aria-hidden scoped "
    allowed += "role aria-label tabindex"
    assert set(shown.attributes) <= set(allowed.split())
    assert HOSTILE in shown.text
    assert HOSTILE in Shown(hostile._repr_html_()).text


def test_a_table_in_html_has_a_caption_and_heads_with_scope(hostile):
    page = hostile._repr_html_()

    assert page.count("<caption>") == page.count("<table")
    assert re.findall(r"<th(?! scope=)", page.replace("<thead", "")) == []
    assert '<span class="symbol" aria-hidden="true">⊕⊕◯◯</span><br><strong>Low</strong>' in page
    assert not re.search(r"[^-]color: *(#|rgb|black|white)", page)  # light and dark are the page's own


def test_hostile_text_is_inert_in_markdown(hostile, tmp_path):
    text = written(hostile, tmp_path, ".md").decode()
    page = Shown(mistune.create_markdown(escape=False, plugins=["table", "url", "strikethrough"])(text))

    assert set(page.tags) <= {"h1", "ul", "li", "p", "strong", "br", "sup", *TABLE}
    assert not page.attributes or set(page.attributes) <= {"style"}
    assert HOSTILE in html.unescape(page.text)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {8, 15}


def test_no_cell_is_a_formula_in_excel(hostile, tmp_path):
    with zipfile.ZipFile(io.BytesIO(written(hostile, tmp_path, ".xlsx"))) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
        strings = "".join(ElementTree.fromstring(book.read("xl/sharedStrings.xml")).itertext())

    assert len(sheets) == 2
    assert not any(tag in sheet for sheet in sheets for tag in ("<f>", "<f ", "hyperlink"))
    assert HOSTILE in strings


def test_nothing_is_a_field_or_a_link_in_word(hostile, tmp_path):
    with zipfile.ZipFile(io.BytesIO(written(hostile, tmp_path, ".docx"))) as package:
        text = package.read("word/document.xml").decode()

    assert not any(tag in text for tag in ("instrText", "fldSimple", "fldChar", "w:hyperlink"))
    assert HOSTILE in "".join(ElementTree.fromstring(text).itertext())
    assert text.count("<w:tblHeader") == 4  # two lines of head, two tables


def test_the_properties_of_a_table_stand_in_the_order_that_word_asks_for(tmp_path):
    """ISO/IEC 29500-1, 17.4.60: Word may refuse a file in which they stand otherwise."""
    with zipfile.ZipFile(io.BytesIO(written(summary(tmp_path), tmp_path, ".docx"))) as package:
        root = ElementTree.fromstring(package.read("word/document.xml"))
    order = (
        "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing"
    )
    order = f"{order} tblInd tblBorders shd tblLayout tblCellMar tblLook".split()

    for properties in root.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}tblPr"):
        found = [child.tag.partition("}")[2] for child in properties]
        assert found == sorted(found, key=order.index)


def test_no_cell_is_a_formula_in_csv(hostile, tmp_path):
    text = written(hostile, tmp_path, ".csv").decode()
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)

    assert frame["outcome"].tolist() == [f"'{HOSTILE}"]
    assert not [value for value in frame.iloc[0] if value.startswith(("=", "+", "@", "|", "%"))]


def test_the_commands_of_a_hostile_text_do_not_reach_latex(hostile, tmp_path):
    text = written(hostile, tmp_path, ".tex").decode()

    assert r"\input" not in text
    assert r"\write" not in text
    assert "$" not in text.replace(r"\$", "")
    assert text.isascii()
    assert r"\known{}\known{}\unknown{}\unknown{}" in text


_BACK = {
    r"\textbackslash{}": "\\",
    r"\textasciicircum{}": "^",
    r"\textasciitilde{}": "~",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\textasciigrave{}": "`",
    r"\textquotedbl{}": '"',
    **{f"\\{sign}": sign for sign in "{}$&#%_"},
    "{}": "",  # keeps two signs from becoming one
}


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_every_character_of_ascii_maps_back_from_latex(text):
    escaped = escape.latex(text)
    pattern = re.compile("|".join(map(re.escape, sorted(_BACK, key=len, reverse=True))))

    assert not set(pattern.sub("", escaped)) & set('\\{}$&#%_^~<>|`"')
    assert pattern.sub(lambda found: _BACK[found[0]], escaped) == re.sub(" +", " ", text)
    assert not re.search(r"--|''|,,|[!?]`", escaped)  # what fonts of TeX print as one sign


@given(st.text(max_size=60))
def test_any_text_becomes_ascii_of_latex_with_its_braces_closed(text):
    escaped = escape.latex(text).replace(r"\{", "").replace(r"\}", "")

    assert escaped.isascii()
    assert escaped.count("{") == escaped.count("}")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=60))
def test_any_text_is_one_cell_of_markdown_without_tag_or_link(text):
    row = f"| a | b |\n| --- | --- |\n| x{escape.markdown(text)}x | y |\n"
    page = Shown(mistune.create_markdown(escape=False, plugins=["table", "url"])(row))

    assert page.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_findings_give_the_same_bytes(suffix, tmp_path, monkeypatch):
    first = written(summary(tmp_path), tmp_path, suffix)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setattr("time.time", lambda: 1.9e9)

    assert written(summary(tmp_path), tmp_path, suffix) == first


@pytest.mark.parametrize("suffix", [".docx", ".xlsx"])
def test_no_clock_stands_in_a_package(suffix, tmp_path):
    with zipfile.ZipFile(io.BytesIO(written(summary(tmp_path), tmp_path, suffix))) as package:
        assert {item.date_time for item in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(r"\d{4}-\d\d-\d\dT", package.read("docProps/core.xml").decode())) == {
            "2000-01-01T"
        }


@pytest.mark.parametrize("suffix", SUFFIXES[:5])
def test_every_form_carries_the_notice_the_circles_and_that_nobody_reviewed_it(suffix, tmp_path):
    found = summary(tmp_path)
    data = written(found, tmp_path, suffix)
    if suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            part = "word/document.xml" if suffix == ".docx" else "xl/sharedStrings.xml"
            data = "".join(ElementTree.fromstring(package.read(part)).itertext()).encode()
    text = html.unescape(data.decode())

    assert found.notice in text
    assert "Not medical advice" in text
    assert "draft, unreviewed" in text
    assert ("⊕⊕◯◯" if suffix != ".tex" else r"\known{}\known{}\unknown{}\unknown{}") in text
    assert "Low" in text


@pytest.mark.parametrize(("which", "captions"), [("summary", 1), ("profile", 1), ("both", 2)])
def test_one_table_or_both_are_written(which, captions, tmp_path):
    assert written(summary(tmp_path), tmp_path, ".html", which).decode().count("<caption>") == captions


def test_a_csv_of_both_has_the_columns_of_both_once(tmp_path):
    found = summary(tmp_path)
    columns = list(pd.read_csv(io.BytesIO(written(found, tmp_path, ".csv"))).columns)

    assert set(columns) == {*found.table.columns, *found.profile.columns}
    assert len(columns) == len(set(columns))


# What opens them --------------------------------------------------------------------------------


def run(*command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def needs(*programs):
    missing = [name for name in programs if not shutil.which(name)]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """Return a folder with both topics of the ledger that ships, in every form."""
    folder = tmp_path_factory.mktemp("shipped")
    for topic in ("hair-loss", "skin-dryness"):
        for suffix in SUFFIXES:
            me.summary_of_findings(me.load(), topic=topic).save(folder / f"{topic}{suffix}")
    return folder


@pytest.mark.slow
@needs("chromium")
@pytest.mark.parametrize("topic", ["hair-loss", "skin-dryness"])
def test_a_browser_opens_it_without_a_word(topic, shipped):
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        f"--user-data-dir={shipped}/c",
    )
    done = run("chromium", *flags, "--dump-dom", f"file://{shipped}/{topic}.html", folder=shipped)

    assert done.returncode == 0
    assert "CONSOLE" not in done.stderr
    assert "Summary of findings" in done.stdout


@pytest.mark.slow
@needs("soffice", "pdftotext")
@pytest.mark.parametrize("topic", ["hair-loss", "skin-dryness"])
def test_libreoffice_opens_it_without_a_warning(topic, shipped):
    profile = f"-env:UserInstallation=file://{shipped}/office"
    done = run("soffice", profile, "--headless", "--convert-to", "pdf", f"{topic}.docx", folder=shipped)
    assert done.returncode == 0
    said = [
        line for line in (done.stdout + done.stderr).splitlines() if "javaldx" not in line
    ]  # no Java here
    assert not re.search(r"error|warn", " ".join(said), re.IGNORECASE)

    text = run("pdftotext", "-layout", f"{topic}.pdf", "-", folder=shipped).stdout
    assert "⊕◯◯◯" in text
    assert "Evidence profile" in text


@pytest.mark.slow
@needs("pdflatex")
@pytest.mark.parametrize(
    "engine", [pytest.param(name, marks=needs(name)) for name in ("pdflatex", "lualatex")]
)
@pytest.mark.parametrize("topic", ["hair-loss", "skin-dryness"])
def test_latex_compiles_it_without_a_warning(topic, engine, shipped):
    for _ in range(3):  # a long table settles its columns
        done = run(
            engine,
            "-interaction=nonstopmode",
            "-halt-on-error",
            f"-jobname={topic}-{engine}",
            f"{topic}.tex",
            folder=shipped,
        )
        assert done.returncode == 0, done.stdout[-2000:]

    log = (shipped / f"{topic}-{engine}.log").read_text(encoding="utf-8", errors="replace")
    assert re.findall(r"^.*(?:Warning|Overfull|Missing character|^!).*$", log, re.MULTILINE) == []


@pytest.mark.slow
@needs("pdflatex", "pdftotext")
def test_every_character_of_a_hostile_text_is_printed_by_latex(hostile, tmp_path):
    hostile.save(tmp_path / "x.tex", "summary")
    assert (
        run("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex", folder=tmp_path).returncode
        == 0
    )
    printed = run("pdftotext", "-raw", "x.pdf", "-", folder=tmp_path).stdout

    expected = HOSTILE.replace("中", "⟨U+4E2D⟩").replace("'", "’").replace("µ", "μ")
    squeezed = re.sub(
        r"[\s\u00ad-]",
        "",
        printed.replace("µ", "μ")
        .replace("\N{MODIFIER LETTER CIRCUMFLEX ACCENT}", "^")
        .replace("\N{SMALL TILDE}", "~"),
    )
    assert re.sub(r"[\s-]", "", expected) in squeezed
