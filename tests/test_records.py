"""What the reader of YAML takes, what it refuses, and that it says where."""

import gc
import time
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from mesoevidence import ledger, records
from mesoevidence.model import KINDS
from mesoevidence.problems import Problem
from mesoevidence.records import Quoted, Record
from tests import ledgers

PATH = "evidence/studies/x.yaml"


def refused(text):
    """Return code, line and column of the problem that a text is."""
    problem = records.parse(text, PATH)
    assert isinstance(problem, Problem), problem
    assert problem.hint
    return problem.code, problem.line, problem.column


def typed(field, value, text=ledgers.STUDY, kind="studies"):
    """Return what a field of the small study becomes when it is written as `value`, or the code and place."""
    lines = [f"{field}: {value}" if line.startswith(f"{field}:") else line for line in text.split("\n")]
    record = records.parse("\n".join(lines), PATH)
    assert isinstance(record, Record), record
    entry = ledger.typed(record, KINDS[kind])
    if isinstance(entry, list):
        return [(problem.code, problem.line) for problem in entry]
    return getattr(entry, field)


def test_every_key_and_value_keeps_its_line_and_column():
    record = records.parse(ledgers.STUDY, PATH)

    assert record.place(["design"]) == (3, 9)
    assert record.place(["design"], key=True) == (3, 1)
    assert record.place(["arms", "water", "n"]) == (8, 35)
    assert record.place(["results", 0, "values", "tea", "n"], key=True) == (13, 25)
    assert record.place(["results", 0, "nothing here"]) == record.place(["results", 0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x {b: 1}\nc: *x\n", ("E007", 1, 4)),
        ("a: 1\nb: *x\n", ("E007", 2, 4)),
        ("a: !!python/object/apply:os.system [id]\n", ("E007", 1, 4)),
        ("a: !!str 1\n", ("E007", 1, 4)),
        ("a: !mine 1\n", ("E007", 1, 4)),
        ("%YAML 1.2\n---\na: 1\n", ("E007", 1, 1)),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", ("E007", 1, 1)),
        ("a: 1\n---\nb: 2\n", ("E007", 2, 1)),
        ("a: 1\n<<: {b: 2}\n", ("E007", 2, 1)),
        ("? [a, b]\n: 1\n", ("E007", 1, 3)),
        ("a: 1\nb: 2\na: 3\n", ("E008", 3, 1)),
        ("a: {b: 1, 'b': 2}\n", ("E008", 1, 11)),
        ("a: dose #2\n", ("E010", 1, 9)),
        ("a: [one, two #3\n  ]\n", ("E010", 1, 14)),
        ("- a\n- b\n", ("E011", 1, 1)),
        ("just text\n", ("E011", 1, 1)),
        ("", ("E011", 1, 1)),
        ("# only a comment\n", ("E011", 1, 1)),
        ("a: 'never closed\nb: 1\n", ("E006", 3, 1)),
        ("a: b: c\n", ("E006", 1, 5)),
        ("a:\n\t- b\n", ("E006", 2, 1)),
        ("a: [1, 2\n", ("E006", 2, 1)),
        ("a: @b\n", ("E006", 1, 4)),
        ('a: "\\q"\n', ("E006", 1, 5)),
        ('a: "x\\u0007y"\n', ("E004", 1, 4)),
        ('a: "x\\ry"\n', ("E004", 1, 4)),
        ('a: "x\\u202ey"\n', ("E004", 1, 4)),
        ('a: "x\\uFFFEy"\n', ("E004", 1, 4)),
        ('"a\\u0000": 1\n', ("E004", 1, 1)),
    ],
)
def test_what_could_hide_or_change_a_meaning_is_refused_at_its_place(text, expected):
    assert refused(text) == expected


def test_twelve_levels_are_read_and_thirteen_are_not():
    assert isinstance(records.parse("a: " + "[" * 11 + "]" * 11, PATH), Record)
    assert refused("a: " + "[" * 12 + "]" * 12)[0] == "E009"


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 100_000,
        "a: " + "{b: " * 50_000,
        "\n".join(" " * depth + "a:" for depth in range(600)),
        "- " * 100_000,
        "? " * 100_000,
        "a: &a [x]\n" + "\n".join(f"b{n}: &b{n} [*a, *a, *a]" for n in range(1_000)),
        "a: " + "1" * 200_000,
        'a: "' + "\\" * 200_000,
        "a: '" + "''" * 100_000,
        "a: |\n" + " x\n" * 60_000,
        "#" * 260_000,
        "\n" * 260_000,
        "a:" * 100_000,
        ", " * 100_000,
        "".join(f"k{n}: {n}\n" for n in range(25_000)),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_no_text_of_256_kib_takes_two_seconds_or_a_traceback(text):
    begun = time.process_time()

    found = records.parse(text, PATH)

    assert isinstance(found, Record | Problem)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("true", "true"),
        ("~x", "~x"),
        ("'null'", "null"),
        ("1.10", "1.10"),
        ("00123", "00123"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2024-13-45", "2024-13-45"),
        ("2024-01-31", "2024-01-31"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("'it''s'", "it's"),
        ('"tab\\there"', "tab\there"),
        ("'# no comment'", "# no comment"),
        ("one  # a comment", "one"),
        ("a#b", "a#b"),
        ("http://x.org/a:b", "http://x.org/a:b"),
        ("two\n  lines", "two lines"),
        ("|\n  kept\n  lines", "kept\nlines\n"),
        (">-\n  folded\n  lines", "folded lines"),
        ('"Mu\\u0308ller"', "Müller"),
        ("−5 °C", "−5 °C"),
    ],
)
def test_text_is_what_is_written_and_never_a_type_yaml_guesses(written, meant):
    record = records.parse(f"title: {written}\n", PATH)

    assert record.values["title"] == meant
    assert typed("read", f"abstract\ntitle: {written}", kind="studies") == "abstract"


@pytest.mark.parametrize("number", ["0", "7", "2.50", "-3.2", "0.05", "100", "-0", "00123", "1" * 30])
def test_a_number_keeps_its_printed_digits(number):
    found = typed("follow_up", "x", ledgers.STUDY.replace("events: 12", f"mean: {number}"))
    assert found is None  # the study itself is good

    values = records.parse(ledgers.STUDY.replace("events: 12", f"mean: {number}"), PATH)
    study = ledger.typed(values, KINDS["studies"])

    assert str(study.results[0].values["tea"].mean) == str(Decimal(number))


@pytest.mark.parametrize(
    "number",
    [
        *("forty", "1e3", ".5", "5.", "+5", "1 000", "1_000", "0x10", "--5", "5 %", "½"),
        *("nan", "NaN", ".nan", "inf", "-inf", ".inf", "1e999", "٣", "１.５", "3\u00a0", "'5'", '"5"'),
        *("9" * 5_000, "0." + "1" * 5_000, "[5]", "{a: 5}", "", "~", "null", "true"),
    ],
    ids=lambda number: ascii(number[:12]),
)
def test_what_is_no_plain_number_is_refused_and_never_converted(number):
    text = ledgers.STUDY.replace("events: 12, n: 20}", f"n: {number}}}", 1)

    record = records.parse(text, PATH)

    assert isinstance(record, Record), record
    problems = ledger.typed(record, KINDS["studies"])
    assert isinstance(problems, list), problems
    assert {problem.code for problem in problems} <= {"E203", "E204", "E207"}
    assert [(problem.line, problem.column) for problem in problems] == [(13, 16)] or number == ""
    assert all(len(problem.message) < 120 for problem in problems)


@pytest.mark.parametrize(
    "field", ["title", "design", "reports", "population", "arms", "results", "registration"]
)
@pytest.mark.parametrize("empty", ["", "''", '""', '" "', "[]", "{}"])
def test_empty_is_never_read_as_something(field, empty):
    study = ledgers.STUDY + "title: x\nregistration: x\n"
    lines = study.split("\n")
    at = next(number for number, line in enumerate(lines, 1) if line.startswith(f"{field}:"))
    while at < len(lines) and lines[at].startswith(" "):
        del lines[at]
    lines[at - 1] = f"{field}: {empty}"

    record = records.parse("\n".join(lines), PATH)
    found = ledger.typed(record, KINDS["studies"])

    if isinstance(found, list):
        assert [problem.line for problem in found] == [at]
        assert found[0].code in {"E203", "E205", "E207", "E209"}
    else:
        assert (field, empty) in {("reports", "[]"), ("arms", "{}")}
        assert len(getattr(found, field)) == 0


def test_an_unknown_field_names_the_nearest_one():
    record = records.parse(ledgers.STUDY.replace("population:", "popluation:"), PATH)

    (problem,) = ledger.typed(record, KINDS["studies"])

    assert str(problem) == f"{PATH}:5:1: E202 there is no field `popluation` here"
    assert problem.hint.startswith("did you mean `population`?")


def test_every_faulty_field_of_a_record_is_named_at_once():
    text = ledgers.STUDY.replace("design: rct", "design: RCT").replace("n: 20}", "n: twenty}")

    problems = ledger.typed(records.parse(text, PATH), KINDS["studies"])

    assert [(problem.code, problem.line) for problem in problems] == [
        *(("E205", 3), ("E204", 7), ("E204", 8), ("E204", 13), ("E204", 14))
    ]
    assert problems[0].hint.startswith("did you mean `rct`?")


def test_reading_leaves_nothing_to_the_collector_which_rests_while_a_ledger_is_read():
    gc.collect()
    gc.disable()
    try:
        records.parse(ledgers.STUDY, PATH)
        assert gc.collect() == 0
    finally:
        gc.enable()


@given(st.text(max_size=60), st.sampled_from(["{}", "'{}'", '"{}"', "|\n  {}", ">\n  {}", "[{}]", "# {}"]))
def test_any_text_is_read_or_refused_with_a_place_inside_the_file(text, form):
    whole = "a: " + form.format(text)

    found = records.parse(whole, PATH)

    if isinstance(found, Problem):
        assert 1 <= found.line <= whole.count("\n") + 1
        assert found.column >= 1
    else:
        assert set(found.values) >= {"a"}


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30))
def test_quoted_text_comes_back_as_written(text):
    record = records.parse("a: '" + text.replace("'", "''") + "'", PATH)

    composed = records.normalize("NFC", text)

    assert isinstance(record, Problem) or record.values == {"a": Quoted(composed)}
