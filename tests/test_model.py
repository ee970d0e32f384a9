"""The schema: its own examples load; the editor's JSON Schema and the library agree on good and bad files."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

import mesoevidence as me
from mesoevidence import ledger, records, templates
from mesoevidence.model import KINDS
from mesoevidence.records import Quoted, Record
from tests import ledgers

ROOT = Path(__file__).parent.parent
_NAMES = ("topic", "claim", "study", "synthesis")
EXAMPLES = {kind: (ROOT / f"tests/examples/{kind}.yaml").read_text(encoding="utf-8") for kind in _NAMES}
SMALL = {
    "topic": ledgers.TOPIC,
    "claim": ledgers.CLAIM,
    "study": ledgers.STUDY,
    "synthesis": ledgers.SYNTHESIS,
}


def read(kind, text):
    """Return the typed record, or the codes of what is wrong with it."""
    record = records.parse(text, "x.yaml")
    assert isinstance(record, Record), record
    entry = ledger.typed(record, KINDS[templates.FOLDER_OF[kind]])
    return [problem.code for problem in entry] if isinstance(entry, list) else entry


# The examples of the schema ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_examples_of_the_schema_load(kind):
    assert read(kind, EXAMPLES[kind]).id == re.match(r"id: (\S+)", EXAMPLES[kind])[1]


def test_what_the_examples_say_is_what_is_read():
    topic, claim, study, synthesis = (read(kind, text) for kind, text in EXAMPLES.items())

    assert topic.outcomes["hair-density"].mid.value == Decimal(10)
    assert topic.sources["metinkerem2025"].interest.at == "page footer"
    citation = claim.appearances[0].citations[0]
    assert (citation.described, citation.candidates[1].ref) == ("a study in a named journal, 2014", None)
    assert claim.evidence[1].gap == ("outcome",)
    assert claim.verdict.on == date(2026, 11, 22)
    assert study.results[0].values["dutasteride"].events == 54
    assert str(study.results[2].paired.mean_difference) == "-2.50"
    assert study.results[2].effect.adjusted is True
    assert study.title == "..."
    assert synthesis.include[2].comparator == ()
    assert synthesis.certainty.risk_of_bias.down == 2


def test_a_single_item_is_a_list_of_one_where_a_list_is_meant():
    entry = read("synthesis", EXAMPLES["synthesis"])

    assert entry.pico.comparator == ("saline-injection",)


def test_what_is_absent_is_unknown():
    study = read("study", ledgers.STUDY)

    assert (study.title, study.funding, study.results[0].p, study.results[0].values["tea"].mean) == (
        None,
    ) * 4


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_record_and_all_in_it_is_frozen(kind):
    entry = read(kind, EXAMPLES[kind])

    for name in type(entry).model_fields:
        with pytest.raises(ValueError, match="frozen"):
            setattr(entry, name, None)
        assert not isinstance(getattr(entry, name), list | dict | set)


# The editor's schema -----------------------------------------------------------------------------

_CORE = (
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)


def as_an_editor_reads(node):
    """Return the values of a record as YAML 1.2's core schema types them, which is what editors check."""
    if isinstance(node, dict):
        return {key: as_an_editor_reads(value) for key, value in node.items()}
    if isinstance(node, list):
        return [as_an_editor_reads(value) for value in node]
    if isinstance(node, Quoted):
        return str(node)
    return next((make(node) for pattern, make in _CORE if pattern.fullmatch(node)), node)


def editor(kind):
    """Return a validator of the JSON Schema that the command prints."""
    schema = json.loads(templates.schema(kind))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


EDITORS = {kind: editor(kind) for kind in EXAMPLES}


def verdicts(kind, text):
    """Return whether the editor and the library take a text."""
    values = as_an_editor_reads(records.parse(text, "x.yaml").values)
    return EDITORS[kind].is_valid(values), not isinstance(read(kind, text), list)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_shipped_schema_is_what_the_command_prints(kind):
    assert (ROOT / f"evidence/schema/{kind}.json").read_text(encoding="utf-8") == templates.schema(kind)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_editor_and_library_take_the_good_examples(kind):
    assert verdicts(kind, EXAMPLES[kind]) == (True, True)
    assert verdicts(kind, SMALL[kind]) == (True, True)


def test_the_editor_takes_every_shipped_record():
    for kind, folder in templates.FOLDER_OF.items():
        for path in sorted((ROOT / "evidence" / folder).glob("*.yaml")):
            assert verdicts(kind, path.read_text(encoding="utf-8")) == (True, True), path.name


WRONG = (
    "",
    '""',
    "[]",
    "{}",
    "[[]]",
    "{strange: field}",
    "a strange word",
    "-1.5",
    '"1"',
    "~",
    "2026-02-30",
    "no Slug",
)


def mutants(text):
    """Yield a text with one scalar after the other replaced, one key dropped, renamed or added."""
    pattern = re.compile(r'(?<=: )(?:"[^"]*"|[^\s{}\[\],"][^{}\[\],"\n#]*?)(?=\s*(?:[,}\]]|  #|\n))')
    for found in pattern.finditer(text):
        for wrong in WRONG:
            yield text[: found.start()] + wrong + text[found.end() :]
    for found in re.finditer(r"(?m)(?<=[{ ,])([a-z_]+): ", text):
        yield text[: found.start()] + "strange: " + text[found.end() :]
        yield text[: found.start()] + f"strange: 1, {found[0]}" + text[found.end() :]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_editor_and_library_agree_on_every_field_written_wrong(kind):
    """What only the text shows, quoted numbers and more than 30 digits, no JSON Schema can tell."""
    agreed, refused = 0, 0
    for text in mutants(EXAMPLES[kind]):
        if not isinstance(records.parse(text, "x.yaml"), Record):
            continue
        by_editor, by_library = verdicts(kind, text)
        difference = [line for line in text.split("\n") if line not in EXAMPLES[kind].split("\n")]
        assert by_editor == by_library, (difference, read(kind, text))
        agreed, refused = agreed + 1, refused + (not by_library)

    assert refused > 100
    assert agreed > refused


# Templates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_new_record_loads_as_it_is_but_for_the_names_to_fill_in(kind, tmp_path):
    folder = templates.FOLDER_OF[kind]
    text = templates.template(kind, "new-one")
    evidence = ledgers.evidence(tmp_path, {f"evidence/{folder}/new-one.yaml": text})
    here = [item for item in evidence.problems if "new-one" in item.path]

    assert text.startswith(f"# yaml-language-server: $schema=../schema/{kind}.json\n")
    if kind == "topic":
        assert here == []
    for problem in here:
        line = text.split("\n")[problem.line - 1]
        assert any(word in line for word in ("SLUG", "BIBKEY", "STUDY-ID")), problem
        assert problem.hint


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_template_that_is_filled_in_with_what_the_ledger_has_passes(kind, tmp_path):
    text = (
        templates.template(kind, "new-one").replace("[BIBKEY]", "[smith2001]").replace("BIBKEY", "smith2001")
    )
    text = re.sub(r"outcome: SLUG", "outcome: awake", text)
    text = re.sub(r"population: (\[?)SLUG", r"population: \1adults", text)
    text = re.sub(r"comparator: SLUG", "comparator: water", text)
    text = re.sub(r"control: \{intervention: SLUG", "control: {intervention: water", text).replace(
        "SLUG", "green-tea"
    )
    text = text.replace("STUDY-ID, result: primary", "smith-2001, result: evening").replace(
        "intervention: [active], comparator: [control]", "intervention: [tea], comparator: [water]"
    )
    folder = templates.FOLDER_OF[kind]

    evidence = ledgers.evidence(tmp_path, {f"evidence/{folder}/new-one.yaml": text})

    assert [item for item in evidence.problems if item.severity == "error"] == []
    assert "new-one" in evidence.ledger.records


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_a_template_shows_in_comments_is_right_as_well(kind):
    text = re.sub(r"(?m)^( *)# (?=[a-z_]+:(?: |$)|  )", r"\1", templates.template(kind, "new-one"))
    text = text.replace("SLUG", "slug").replace("BIBKEY", "bibkey").replace("STUDY-ID", "study-id")
    text = re.sub(r"(?m)^  (type|importance): .*\n", "", text)

    found = read(kind, text)

    assert not isinstance(found, list), (found, text)


def test_the_words_of_the_schema_are_those_of_the_vocabulary():
    schema = json.loads(templates.schema("study"))

    assert schema["properties"]["design"]["enum"][0] == "rct"
    assert set(me.load().table("studies")["design"]) <= set(schema["properties"]["design"]["enum"])


# Names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "7", "moftah-2013", "a-1-b-2", "a" * 64, "console", "com10", "nul-1"])
def test_names_that_are_files_everywhere_are_ids(name):
    assert read("topic", f"id: {name}\nlabel: x\n").id == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Moftah-2013",
            "moftah_2013",
            "moftah 2013",
            "moftah.2013",
            "-a",
            "a-",
            "a--b",
            "a" * 65,
            "a" * 300,
        ),
        *(
            "../../etc/passwd",
            "a/b",
            "a\\\\b",
            "a:b",
            "a.",
            ".a",
            "a b",
            "ä",
            "а",
            "a\u200b",
            "١",
            "a?",
            "a*",
            "a|b",
        ),
        *(
            "con",
            "prn",
            "aux",
            "nul",
            "com1",
            "com9",
            "lpt1",
            "lpt9",
            "~",
            "$HOME",
            "%PATH%",
            "a'b",
            "<a>",
            "a;b",
        ),
    ],
)
def test_names_that_would_be_no_file_somewhere_are_no_ids(name):
    assert read("topic", f'id: "{name}"\nlabel: x\n') == ["E101"]
