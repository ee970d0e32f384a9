"""The documentation says what holds: its code runs, its lists are whole, and it builds without a warning."""

import doctest
import re
import shlex
import subprocess
import sys
from inspect import isfunction
from pathlib import Path

import pytest

import mesoevidence as me
from mesoevidence import cli, problems, templates

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
OFFLINE = """
import socket, sys
from sphinx.cmd.build import main
socket.socket.connect = None
sys.exit(main(sys.argv[1:]))
"""


def blocks(page, kind):
    """Return the fenced blocks of one kind, each with its line."""
    text = page.read_text(encoding="utf-8")
    return [
        (text[: found.start(1)].count("\n"), found[1])
        for found in re.finditer(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)
    ]


@pytest.fixture(scope="module")
def evidence():
    return me.load(ROOT)


@pytest.mark.parametrize("name", [page.name for page in PAGES if blocks(page, "pycon")])
def test_every_line_of_a_page_gives_what_the_page_shows(name, tmp_path, monkeypatch, evidence):
    page = DOCS / name
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(me, "load", lambda: evidence)
    runner, names, said = doctest.DocTestRunner(optionflags=FLAGS), {}, []

    for line, code in blocks(page, "pycon"):
        test = doctest.DocTestParser().get_doctest(code, {}, page.name, str(page), line)
        test.globs = names
        runner.run(test, out=said.append, clear_globs=False)

    assert not runner.summarize(verbose=False).failed, "".join(said)


@pytest.mark.parametrize(
    "line", [line for page in PAGES for _, code in blocks(page, "console") for line in code.splitlines()]
)
def test_every_command_of_a_page_works(line, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    sign, name, *words = shlex.split(line)

    assert (sign, name) == ("$", "mesoevidence")
    assert cli.main(words) == 0
    assert capsys.readouterr().out


def test_every_block_of_code_is_of_a_kind_that_is_run():
    kinds = {
        (page.name, kind)
        for page in PAGES
        for kind in re.findall(r"^```(\w+)$", page.read_text(encoding="utf-8"), re.M)
    }

    assert {kind for name, kind in kinds if name != "many-questions.md"} <= {"pycon", "console"}
    assert ("many-questions.md", "python") in kinds  # run by test_many_questions


def home(name):
    """Return the module of a public name."""
    return getattr(getattr(me, name), "__module__", "").removeprefix("mesoevidence.")


STATISTICS = ("asymmetry", "diagnostics", "measures", "multilevel", "pooled", "pooling", "regression")


@pytest.mark.parametrize(
    "item",
    [
        *(getattr(me, name) for name in me.__all__ if home(name) in STATISTICS),
        *(
            item
            for name, item in vars(me.conversions).items()
            if name[0] != "_" and isfunction(item) and item.__module__ == me.conversions.__name__
        ),
    ],
    ids=lambda item: item.__name__,
)
def test_every_public_statistic_names_the_source_of_its_formula_and_shows_an_example(item):
    text = item.__doc__ or ""

    assert ">>>" in text
    assert re.search(r"\b(?:19|20)\d\d\b|Handbook", text), text


def test_codes_and_records_are_shown_as_the_library_has_them(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    reference = pytest.importorskip("reference")

    assert set(re.findall(r"^### ([EW]\d{3}):", reference.codes(), re.M)) == set(problems.CODES)
    assert re.findall(r"^## (\w+)", reference.records(), re.M)[:-1] == [
        kind.capitalize() for kind in templates.FOLDER_OF
    ]
    assert "| `claim` (required) | text |" in reference.records()
    assert "| `events` | whole number, 0 or more |" in reference.records()


def test_every_source_of_a_method_is_named_where_the_method_is_written():
    page = " ".join((DOCS / "methods.md").read_text(encoding="utf-8").split())
    code = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "mesoevidence").rglob("*.py"))
    written = " ".join(re.sub(r"[()#,]| et al\.?", " ", code).split())

    sources = re.findall(r"[A-Z][a-zé-]+ (?:19|20)\d\d\b", page)
    assert len(sources) > 25
    for source in sources:
        assert source in written, source


@pytest.mark.slow
def test_the_pages_build_without_a_warning_and_ask_no_server_for_anything(tmp_path):
    pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
    words = ["-W", "--keep-going", "-q", "-d", tmp_path / "trees", DOCS, tmp_path / "html"]
    command = [sys.executable, "-c", OFFLINE, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

    pages = {page.stem: page.read_text(encoding="utf-8") for page in (tmp_path / "html").glob("*.html")}
    assert {page.stem for page in PAGES} <= set(pages)
    for name, page in pages.items():
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=\"([^\"]*)\"", page)
        loaded += re.findall(r"<link\b[^>]*?\bhref=\"([^\"]*)\"", page)
        assert not [address for address in loaded if re.match(r"(?:https?:)?//", address)], name
        assert me.NOTICE in " ".join(page.split()), name
    for sheet in (tmp_path / "html").rglob("*.css"):
        rules = sheet.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import )['\"]?(?:https?:)?//", rules), sheet
    assert set(re.findall(r'id="mesoevidence\.(\w+)"', pages["api"])) >= set(me.__all__) - {"conversions"}
    assert 'id="e304"' in pages["codes"]
    assert "as if their people had been one group" in pages["api"]
