"""The notebooks: kept without outputs, read from top to bottom, executed as the report executes them."""

import json
import re
from pathlib import Path

import nbformat
import pytest

import mesoevidence as me
from mesoevidence import notebooks
from tests.test_docs import home

ROOT = Path(__file__).parent.parent
PATHS = notebooks.find(ROOT)


class Quiet:
    """Stands for the progress bar."""

    def begin(self, name, parts):
        self.name = name

    def advance(self):
        pass


def each(test):
    return pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)(test)


def read(path):
    return nbformat.read(path, as_version=4)


def test_the_first_notebooks_are_there():
    names = [path.stem for path in PATHS]

    assert names[:3] == ["00-tour", "01-state-of-the-evidence", "02-claim-audit"]
    assert "05-safety" in names


def test_every_chart_of_the_library_stands_in_the_gallery():
    gallery = next(path for path in PATHS if path.stem == "06-gallery")
    code = "\n".join(cell.source for cell in read(gallery).cells if cell.cell_type == "code")
    charts = {name for name in me.__all__ if home(name).startswith(("charts.", "explore"))}

    assert charts == {name for name in charts if f"me.{name}(" in code}
    assert "me.audit(" in code


@each
def test_no_output_and_no_count_is_stored(path):
    for cell in read(path).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@each
def test_every_cell_has_an_id_that_says_what_it_is_for(path):
    notebook = read(path)
    ids = [cell.id for cell in notebook.cells]

    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len(set(ids)) == len(ids)
    assert not [name for name in ids if re.fullmatch(r"[0-9a-f]{8}", name)]


@each
def test_the_file_changes_only_where_a_person_changes_it(path):
    text = path.read_text(encoding="utf-8")

    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@each
def test_it_opens_with_a_question_and_the_notice_and_ends_with_what_to_take_away(path):
    first, second, *_, last = read(path).cells

    assert first.source.startswith("# ")
    assert re.search(r"\*\*[^*]+\?\*\*", first.source.replace("\n", " "))
    assert second.source == f"> {me.NOTICE}"
    assert last.source.startswith("## What to take away")


@each
def test_code_is_short_and_links_lead_somewhere(path):
    for cell in read(path).cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 16, cell.id
        for target in re.findall(r"\]\((?!https://)([^)]+)\)", cell.source):
            assert (path.parent / target).is_file(), target


@each
def test_numbers_of_the_ledger_are_computed_and_never_typed(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\d+ (?:claims|studies|trials|persons|people|references)\b", cell.source), (
                cell.id
            )


@each
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_it_runs_from_top_to_bottom_without_a_warning_and_every_picture_has_words(path):
    page = notebooks.execute(path, ROOT, Quiet())

    shown = "".join(piece for cell in page.cells for piece in cell.shown)
    assert "stderr" not in shown
    assert '<img alt=""' not in shown
    assert "Figure size" not in shown
    assert "<h1" not in shown
