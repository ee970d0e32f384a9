"""Every code that a check can raise has a small file, and the checks say exactly what that file expects."""

import re
from pathlib import Path

import pytest

import mesoevidence as me
from mesoevidence import checks
from mesoevidence.problems import CODES
from tests import bad_ledgers

BAD = sorted((Path(__file__).parent / "bad").glob("*.txt"))
PACKAGE = Path(me.__file__).parent
# Kinds of message that would not help: a type of Python's, a blame, a bare exception.
UNKIND = re.compile(r"invalid|illegal|\b(int|str|dict|float|NoneType|Traceback|Error)\b")


def raised():
    """Return every code that stands in the modules which `check` runs through."""
    run = {function.__module__ for kind in checks.CHECKS.values() for function in kind}
    modules = {"files", "records", "fields", "ledger", "bibliography"} | {
        name.rpartition(".")[2] for name in run
    }
    texts = [(PACKAGE / f"{name}.py").read_text(encoding="utf-8") for name in sorted(modules)]
    return {code for text in texts for code in re.findall(r'"([EW]\d{3})"', text)}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return {path: bad_ledgers.found(path, tmp_path_factory.mktemp(path.stem)) for path in BAD}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_named_with_message_and_place_and_nothing_else_is(path, found):
    expected, _ = bad_ledgers.sections(path)

    assert [str(problem) for problem in found[path]] == expected
    assert path.stem in {line.split(": ")[1].split()[0] for line in expected}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_problem_says_what_to_do_in_words_a_reviewer_knows(path, found):
    for problem in found[path]:
        assert problem.hint
        assert not UNKIND.search(f"{problem.message} {problem.hint}")
        assert not problem.message.endswith(".")


def test_every_code_a_check_can_raise_has_a_bad_file():
    assert raised() - {path.stem for path in BAD} == set()


def test_every_bad_file_stands_for_a_code_that_is_raised():
    assert {path.stem for path in BAD} <= raised() <= set(CODES)


def test_the_small_ledger_the_bad_files_change_is_good(tmp_path):
    nothing = tmp_path / "E000.txt"
    nothing.write_text("")

    assert bad_ledgers.found(nothing, tmp_path / "ledger") == []


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_title_a_remedy_and_an_example(code):
    meaning = CODES[code]

    assert re.fullmatch(r"[EW]\d{3}", code)
    assert meaning.title
    assert meaning.why.endswith(".")
    assert meaning.example
    assert (meaning.severity == "error") == code.startswith("E")


def test_codes_stand_in_order():
    for letter in "EW":
        family = [code for code in CODES if code.startswith(letter)]
        assert family == sorted(family)


def test_problems_sort_by_place():
    first = me.Problem("a.yaml", 2, 9, "E302", "later code", "")
    second = me.Problem("a.yaml", 10, 1, "E101", "earlier code", "")

    assert sorted([second, first]) == [first, second]
