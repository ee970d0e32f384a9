"""The modules form a line, each importing only what stands before it; each outside package has one door."""

import ast
import io
import re
import sys
import tokenize
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import mesoevidence as me

PACKAGE = Path(me.__file__).parent
ORDER = """
    __init__ vocabulary problems escape cards files records bibliography fields blocks model ledger
    conversions formulas effects heterogeneity mantel_haenszel fitting bodies measures provenance printed
    consistency pooled pooling linear_model regression multilevel diagnostics asymmetry appraisal targets
    suggestions statements certainty history basis strength conclusions links checks console tables selection
    evidence charts explore audits findings documents layouts latex word excel pages writers summaries
    subjects methods reviews progress notebooks site report templates cli __main__
""".split()  # noqa: SIM905 - a line of modules reads best as a line
DOORS = {
    "yaml": {"records"},
    "bibtexparser": {"bibliography"},
    "pylatexenc": {"bibliography", "escape"},
    "matplotlib": {"charts"},
    "jinja2": {"pages"},
    "docx": {"word"},
    "lazy_loader": {"__init__"},
    "xlsxwriter": {"excel"},
    "zipfile": {"word"},
    "markupsafe": {"notebooks"},
    "mistune": {"notebooks"},
    "nbclient": {"notebooks"},
    "nbformat": {"notebooks"},
    "rich": {"console", "progress"},
    "tempfile": {"files"},
    "html": {"escape"},
}
SOURCES = sorted(PACKAGE.rglob("*.py"))
# What the command `check` needs must not wait for pandas or matplotlib.
LIGHT = {
    "cli",
    "checks",
    "console",
    "ledger",
    "templates",
    "conclusions",
    "provenance",
    "links",
    "consistency",
}


def room(path):
    """Return the name under which a file stands in the line: a package counts as one room."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(path):
    """Yield every module that a file imports when it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "mesoevidence":
            yield from (f"mesoevidence.{name.name}" for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_module_has_its_place_in_the_line():
    assert {room(path) for path in SOURCES} <= set(ORDER)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_stands_before_it(path):
    here = ORDER.index(room(path))

    for name in imports(path):
        top, _, inside = name.partition(".")
        other = inside.split(".")[0]
        if top == "mesoevidence" and other in ORDER and other != room(path):
            assert ORDER.index(other) < here, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_outside_package_has_one_door(path):
    for name in imports(path):
        doors = DOORS.get(name.split(".")[0])
        assert doors is None or room(path) in doors, f"{path.name} imports {name}"


def test_every_outside_package_that_is_imported_is_asked_for():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[\[><=]", name)[0].lower() for name in project["dependencies"]}
    bring = {"pydantic_core": "pydantic", "ipywidgets": "jupyter"}  # parts of what is asked for
    names = {name.split(".")[0] for path in SOURCES for name in imports(path)} - sys.stdlib_module_names
    found = packages_distributions()

    for name in names - {"mesoevidence", ""}:
        assert {bring.get(name, other.lower()) for other in found[name]} & asked, name


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_opens_with_one_sentence_that_says_what_it_is_for(path):
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]

    assert first.endswith("."), f"{path.name}: {first!r}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]

    assert len(text.splitlines()) <= 400
    for function in functions:
        documented = ast.get_docstring(function) is not None
        begin = function.body[1].lineno if documented and len(function.body) > 1 else function.body[0].lineno
        assert function.end_lineno - begin + 1 <= 40, f"{path.name}: {function.name}"


def test_the_library_stays_small():
    """Lines of code count, documentation does not: nobody should save a line by explaining less.

    Records, statistics and judgement take nine thousand; charts and documents have three of their own.
    """
    assert sum(map(lines_of_code, SOURCES)) < 12_000


def lines_of_code(path):
    """Return how many lines of a file hold code: no docstring, no comment, no blank line."""
    text = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    prose = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    kinds = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in (*kinds, tokenize.INDENT, tokenize.DEDENT)
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - prose)


def test_no_module_reads_yaml_or_code_in_an_unsafe_way():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for word in ("yaml.load(", "yaml.safe_load(", "import pickle", "eval(", "exec("):
            assert word not in text, f"{path.name} has {word}"


def test_the_command_check_loads_neither_pandas_nor_matplotlib():
    reached, todo = set(), ["cli"]
    while todo:
        name = todo.pop()
        reached.add(name)
        path = PACKAGE / f"{name}.py"
        for found in imports(path):
            top, _, inside = found.partition(".")
            assert top not in ("pandas", "matplotlib"), f"{name} imports {found}"
            inner = inside.split(".")[0]
            if top == "mesoevidence" and (PACKAGE / f"{inner}.py").is_file() and inner not in reached:
                todo.append(inner)
    assert LIGHT - reached <= {"consistency"}


@pytest.mark.parametrize("name", me.__all__)
def test_every_public_name_is_there(name):
    assert getattr(me, name) is not None


def test_a_public_name_that_is_not_there_lists_those_that_are():
    with pytest.raises(AttributeError, match=r"mesoevidence has no 'pol'; it has .*load"):
        _ = me.pol
