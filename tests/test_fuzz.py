"""Whatever a file holds: no traceback, no hang, no field that says something else, no good neighbour lost."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import mesoevidence as me
from mesoevidence import bibliography, files, ledger, records
from mesoevidence.model import KINDS, Claim, Study, Synthesis, Topic
from mesoevidence.problems import Problem
from tests import ledgers, mutants

ROOT = Path(__file__).parent.parent
KIND_OF = {"topics": Topic, "claims": Claim, "studies": Study, "syntheses": Synthesis}
SHIPPED = [
    (path.parent.name, path.read_text(encoding="utf-8"))
    for folder in KINDS
    for path in sorted((ROOT / "evidence" / folder).glob("*.yaml"))
]
BIBLIOGRAPHY = (ROOT / "references.bib").read_text(encoding="utf-8")
SECONDS = 2


def read(text, folder):
    """Return the typed record or the problems that the bytes of a text become, within two seconds."""
    begun = time.process_time()
    plain = files.decode(text.encode("utf-8", "surrogatepass"), "x.yaml")
    record = plain if isinstance(plain, Problem) else records.parse(plain, "x.yaml")
    found = [record] if isinstance(record, Problem) else ledger.typed(record, KIND_OF[folder])
    assert time.process_time() - begun < SECONDS
    return plain, found


def hold(text, folder):
    """Assert that a text is a record that says what the file says, or problems that stand inside the file."""
    plain, found = read(text, folder)
    if isinstance(found, list):
        assert found
        last = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        for problem in found:
            assert 1 <= problem.line <= last
            assert problem.column >= 1
            assert problem.message.isprintable()
            assert len(problem.message) < 250
        return False
    said = mutants.stated(plain)
    assert list(mutants.differences(said, found.model_dump(by_alias=True, exclude_unset=True))) == []
    return True


def records_hold(times, seed):
    chance = random.Random(seed)
    texts = [text for _, text in SHIPPED]
    taken = 0
    for _ in range(times):
        folder, text = chance.choice(SHIPPED)
        taken += hold(mutants.mutated(text, texts, chance), folder)
    assert times * 0.02 < taken < times * 0.9  # mutants that are all good or all bad would show nothing


def test_a_mutant_of_a_shipped_record_is_read_as_written_or_refused_at_its_place():
    records_hold(600, 1)


@pytest.mark.slow
def test_thirty_thousand_mutants_of_shipped_records_are_read_as_written_or_refused():
    records_hold(30_000, 2)


def test_every_shipped_record_is_read_as_it_is_written():
    for folder, text in SHIPPED:
        assert hold(text, folder)


WORDS = st.sampled_from(mutants.TOKENS) | st.text(max_size=12)
SCALARS = (
    WORDS
    | st.integers().map(str)
    | st.floats().map(repr)
    | st.decimals(allow_nan=True).map(str)
    | st.dates().map(str)
    | st.sampled_from(["itt", "rct", "tea", "smith2001", "none", "true", "<", "0.05", "12"])
)
QUOTED = SCALARS.map(lambda text: "'" + text.replace("'", "''") + "'")
VALUES = st.recursive(
    SCALARS | QUOTED,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(
            st.sampled_from(["n", "events", "mean", "ref", "at", "tea", "x y", "-"]), inner, max_size=3
        ).map(lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}")
    ),
    max_leaves=6,
)


def one_field_changed(text, line, value):
    """Return a record whose line of that number says another value."""
    lines = text.split("\n")
    at = line % (len(lines) - 1)
    name, sign, _ = lines[at].partition(": ")
    lines[at] = f"{name}{sign or ': '}{value}"
    return "\n".join(lines)


@settings(max_examples=150)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 100), VALUES)
def test_any_value_in_any_field_is_read_as_written_or_refused(kind, line, value):
    small = dict(
        zip(
            ("claims", "studies", "syntheses", "topics"),
            (ledgers.CLAIM, ledgers.STUDY, ledgers.SYNTHESIS, ledgers.TOPIC),
            strict=True,
        )
    )

    hold(one_field_changed(small[kind], line, value), kind)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 100), VALUES)
def test_ten_thousand_values_in_fields_are_read_as_written_or_refused(kind, line, value):
    test_any_value_in_any_field_is_read_as_written_or_refused.hypothesis.inner_test(kind, line, value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_text_or_one_problem_with_a_place(data):
    found = files.decode(data, "x.yaml")

    if isinstance(found, Problem):
        assert found.code in {"E003", "E004", "E005"}
        assert 1 <= found.line <= data.count(b"\n") + data.count(b"\r") + 1
    else:
        assert found.encode("utf-8").decode() == found


# Neighbours --------------------------------------------------------------------------------------


def neighbours_hold(folder, times, seed):
    """Write n good and m mutated studies; assert that the good ones load and each bad one is named."""
    chance = random.Random(seed)
    texts = [text for _, text in SHIPPED]
    for turn in range(times):
        root = ledgers.write(folder / str(turn))
        studies = root / "evidence" / "studies"
        for number in range(4):
            (studies / f"good-{number}.yaml").write_text(
                ledgers.STUDY.replace("smith-2001", f"good-{number}")
            )
        for number in range(6):
            text = mutants.mutated(ledgers.STUDY.replace("smith-2001", f"bad-{number}"), texts, chance)
            (studies / f"bad-{number}.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))

        evidence = me.load(root)

        for number in range(4):
            good = evidence.studies[f"good-{number}"]
            assert good.results == evidence.studies["smith-2001"].results
            assert good.id == f"good-{number}"
        named = {problem.path for problem in evidence.problems if problem.severity == "error"}
        for number in range(6):
            assert f"bad-{number}" in evidence.studies or f"evidence/studies/bad-{number}.yaml" in named
        assert not any("good-" in path for path in named)


def test_no_good_record_is_lost_to_a_bad_neighbour(tmp_path):
    neighbours_hold(tmp_path, 8, 3)


@pytest.mark.slow
def test_no_good_record_is_lost_in_five_hundred_ledgers(tmp_path):
    neighbours_hold(tmp_path, 500, 4)


# The bibliography --------------------------------------------------------------------------------


def fields_of(references):
    return {key: (dict(item.fields), item.authors) for key, item in references.items()}


ENTRIES = ["@" + part for part in BIBLIOGRAPHY.split("\n@")[1:]]


def bibliography_holds(times, seed):
    """Mutate one entry among forty; assert that the others read as before and places are real."""
    chance = random.Random(seed)
    for _ in range(times):
        begin = chance.randrange(max(1, len(ENTRIES) - 40))
        part = ENTRIES[begin : begin + 40]
        before = fields_of(bibliography.parse("\n".join(part))[0])
        at = chance.randrange(len(part))
        changed = [*part[:at], mutants.mutated(part[at], ENTRIES, chance), *part[at + 1 :]]
        text = files.plain("\n".join(changed).encode("utf-8", "surrogatepass"))

        begun = time.process_time()
        found, problems = bibliography.parse(text)
        assert time.process_time() - begun < SECONDS

        lines = text.count("\n") + 1
        assert all(1 <= problem.line <= lines and problem.message.isprintable() for problem in problems)
        own = bibliography.keys_in(part[at]) | bibliography.keys_in(changed[at])
        after = fields_of(found)
        lost = [key for key in before if key not in own and after.get(key) != before[key]]
        assert lost == [], (lost, changed[at])
        for reference in found.values():
            assert reference.vancouver()


def test_a_mutant_of_an_entry_costs_no_other_entry():
    bibliography_holds(60, 5)


@pytest.mark.slow
def test_two_thousand_mutants_of_entries_cost_no_other_entry():
    bibliography_holds(2_000, 6)
