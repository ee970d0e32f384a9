import csv
import itertools
import re
from pathlib import Path

import pandas as pd
import pytest

import mesoevidence as me
from tests import ledgers

ROOT = Path(__file__).parent.parent
TABLES = [
    *("claims", "appearances", "citations", "studies", "arms", "results"),
    *("risk_of_bias", "missing_results", "syntheses", "references", "outcomes", "problems"),
]


@pytest.fixture
def tea(tmp_path):
    return ledgers.evidence(tmp_path)


def test_a_good_ledger_loads_without_a_problem(tea):
    assert tea.problems == ()
    assert (len(tea.topics), len(tea.claims), len(tea.studies), len(tea.syntheses), len(tea.references)) == (
        1,
        1,
        1,
        1,
        2,
    )


def test_it_shows_itself_in_one_line_in_a_terminal(tea):
    assert repr(tea) == "<Evidence: 1 claim, 1 study, 1 synthesis, 0 problems>"


def test_a_path_without_a_ledger_raises_and_says_what_to_name(tmp_path):
    with pytest.raises(me.EvidenceError, match="holds no evidence/ folder"):
        me.load(tmp_path)
    with pytest.raises(me.EvidenceError, match="there is no such folder"):
        me.load(tmp_path / "nowhere")


def test_a_bare_load_takes_the_nearest_ledger_upward(tmp_path, monkeypatch):
    ledgers.write(tmp_path)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)

    assert list(me.load().claims) == ["tea-keeps-awake"]


def test_where_there_is_none_the_shipped_ledger_is_taken_and_every_view_says_so_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    evidence = me.load()

    assert evidence.shipped
    assert repr(evidence).startswith("<Evidence: no ledger here or above: this is the one that ships with")
    assert (
        re.sub(r"<[^>]*>", " ", evidence._repr_html_())
        .split("ships with mesoevidence")[0]
        .strip()
        .endswith("Evidence: no ledger here or above: this is the one that")
    )
    assert "supported" not in evidence._repr_html_().split("ships with mesoevidence")[0]
    assert "ships with mesoevidence" in evidence.table("claims").attrs["ledger"]


def test_an_unknown_id_names_the_nearest_one(tea):
    with pytest.raises(me.EvidenceError, match="there is no study 'smith-2010'; did you mean 'smith-2001'"):
        tea.studies["smith-2010"]
    assert tea.studies.get("smith-2010") is None
    assert "smith-2010" not in tea.studies


def test_keys_complete_in_a_notebook(tea):
    assert tea.claims._ipython_key_completions_() == ["tea-keeps-awake"]


def test_records_cannot_be_changed(tea):
    with pytest.raises(ValueError, match="frozen"):
        tea.claims["tea-keeps-awake"].claim = "something else"
    with pytest.raises(TypeError):
        tea.studies["smith-2001"].arms["tea"] = None


@pytest.mark.parametrize("name", TABLES)
def test_columns_and_dtypes_are_the_same_when_a_table_is_empty(tea, tmp_path, name):
    empty = me.load(
        ledgers.write(
            tmp_path / "empty",
            dict.fromkeys(ledgers.FILES, None) | {"references.bib": ""} | {"evidence/topics/.keep": ""},
        )
    )

    full, bare = tea.table(name), empty.table(name)

    assert len(bare) == 0
    assert full.dtypes.to_dict() == bare.dtypes.to_dict()


def test_an_unknown_table_lists_the_tables(tea):
    with pytest.raises(me.EvidenceError, match="there is no table 'study'; there are claims, appearances"):
        tea.table("study")


def test_the_results_table_says_where_each_number_was_read(tea):
    row = tea.table("results").iloc[0]

    assert (row["arm"], row["events"], row["n"]) == ("tea", 12, 20)
    assert (row["ref"], row["at"], row["method"]) == ("smith2001", "abstract", "reported")
    assert not row["second_hand"]


def test_what_is_not_known_is_an_empty_cell(tea):
    row = tea.table("results").iloc[0]

    assert row[["mean", "sd", "p_value", "estimate"]].isna().all()


def test_a_claim_shows_its_verdict_and_how_strong_the_evidence_is(tea):
    row = tea.table("claims").iloc[0]

    assert (row["verdict"], row["evidence_strength"], row["wording"]) == ("overstated", "low", "certain")
    assert (row["supports"], row["contradicts"], row["neutral"]) == (1, 0, 0)


def test_words_of_strength_are_ordered_from_none_to_high(tea):
    strength = tea.table("claims")["evidence_strength"]

    assert strength.cat.ordered
    assert list(strength.cat.categories) == ["none", "not-graded", "very-low", "low", "moderate", "high"]


@pytest.mark.parametrize("design", ["rct-within-person", "nonrandomised-within-person"])
def test_a_split_face_counts_each_person_once_whether_or_not_the_side_was_drawn_by_lot(tmp_path, design):
    study = ledgers.STUDY.replace("design: rct", f"design: {design}")

    evidence = ledgers.evidence(tmp_path, {"evidence/studies/smith-2001.yaml": study})

    assert evidence.table("studies")["persons"].tolist() == [20]
    assert evidence.table("syntheses")["participants"].tolist() == [20]


def test_persons_are_unknown_when_an_arm_is(tmp_path):
    study = ledgers.STUDY.replace("water: {intervention: water, n: 20}", "water: {intervention: water}")

    evidence = ledgers.evidence(tmp_path, {"evidence/studies/smith-2001.yaml": study})

    assert evidence.table("studies")["persons"].isna().all()


def test_a_selection_is_evidence_again_and_composes(tea):
    part = tea.select(topic="tea").select(design=["rct"], year=(1999, 2005))

    assert isinstance(part, type(tea))
    assert list(part.studies) == ["smith-2001"]
    assert list(part.claims) == ["tea-keeps-awake"]
    assert list(part.syntheses) == ["tea-v-water"]


@pytest.mark.parametrize(
    ("condition", "studies", "claims"),
    [
        ({"outcome": "reaction-time"}, 0, 0),
        ({"outcome": "awake"}, 1, 1),
        ({"design": "cohort"}, 0, 0),
        ({"year": 2002}, 0, 0),
        ({"year": 2001}, 1, 1),
        ({"intervention": "green-tea"}, 1, 1),
        ({"claim": "tea-keeps-awake"}, 1, 1),
        ({"source": "magazine2020"}, 1, 1),
    ],
)
def test_each_condition_keeps_what_has_to_do_with_it(tea, condition, studies, claims):
    part = tea.select(**condition)

    assert (len(part.studies), len(part.claims)) == (studies, claims)


def test_a_selection_keeps_the_references_it_cites_and_the_problems_in_it(tmp_path):
    wrong = ledgers.STUDY.replace("events: 12", "events: 13")
    evidence = ledgers.evidence(tmp_path, {"evidence/studies/smith-2001.yaml": wrong})

    assert [item.code for item in evidence.select(design="rct").problems] == ["E302"]
    assert evidence.select(outcome="reaction-time").problems == ()
    assert list(evidence.select(outcome="reaction-time").references) == []


def test_an_unknown_condition_names_the_nearest_word(tea):
    with pytest.raises(me.EvidenceError, match="there is no outcome 'awak'; did you mean 'awake'"):
        tea.select(outcome="awak")


def test_every_table_is_written_with_text_quoted_and_no_formula(tmp_path):
    claim = ledgers.CLAIM.replace("Green tea keeps adults awake", '"=1+1"')
    evidence = ledgers.evidence(tmp_path, {"evidence/claims/tea-keeps-awake.yaml": claim})

    written = evidence.to_csv(tmp_path / "out")

    assert sorted(path.stem for path in written) == sorted(TABLES)
    rows = list(csv.DictReader((tmp_path / "out" / "claims.csv").read_text().splitlines()))
    assert rows[0]["claim"] == "'=1+1"
    frame = pd.read_csv(tmp_path / "out" / "arms.csv", keep_default_na=False, dtype=str)
    assert frame["n"].tolist() == ["20", "20"]


def test_a_card_is_readable_and_says_that_nobody_reviewed_it(tea):
    card = tea.card("tea-keeps-awake")

    assert card.startswith("tea-keeps-awake: Green tea keeps adults awake\n  status: draft, unreviewed")
    assert "one small trial" in card


def test_a_card_of_a_reference_is_its_citation(tea):
    assert (
        tea.card("smith2001")
        == "Smith A, Jones B. Tea and sleep. J Tea. 2001;3:1-9. https://doi.org/10.1000/tea.1"
    )


def test_text_of_a_record_is_inert_in_a_notebook(tmp_path):
    claim = ledgers.CLAIM.replace("Green tea keeps adults awake", "<script>alert(1)</script>")
    evidence = ledgers.evidence(tmp_path, {"evidence/claims/tea-keeps-awake.yaml": claim})

    shown = (
        evidence.claims["tea-keeps-awake"]._repr_html_()
        + evidence._repr_html_()
        + evidence.problems._repr_html_()
    )

    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_problems_show_themselves_one_a_line(tmp_path):
    wrong = ledgers.STUDY.replace("events: 12", "events: 13")
    evidence = ledgers.evidence(tmp_path, {"evidence/studies/smith-2001.yaml": wrong})

    expected = (
        "evidence/studies/smith-2001.yaml:13:21: E302 13 does not occur in the figures: 12 of 20 v 5 of 20"
    )
    assert repr(evidence.problems) == expected


def test_the_digest_changes_when_one_byte_does(tmp_path):
    before = ledgers.evidence(tmp_path).digest()

    after = ledgers.evidence(tmp_path, {"evidence/topics/tea.yaml": ledgers.TOPIC + "\n"}).digest()

    assert before != after
    assert before == ledgers.evidence(tmp_path).digest()


CONDITIONS = {
    "topic": "tea",
    "claim": "tea-keeps-awake",
    "outcome": "reaction-time",
    "design": "rct",
    "intervention": "green-tea",
    "year": (2001, 2010),
    "source": "magazine2020",
}


@pytest.mark.parametrize("one", CONDITIONS)
@pytest.mark.parametrize("two", CONDITIONS)
def test_two_conditions_at_once_are_one_after_the_other(tea, one, two):
    if one == two:
        return
    first, second = sorted((one, two), key=list(CONDITIONS).index)
    both = tea.select(**{first: CONDITIONS[first], second: CONDITIONS[second]})

    after = tea.select(**{first: CONDITIONS[first]}).select(**{second: CONDITIONS[second]})

    for kind in ("claims", "studies", "syntheses", "references", "problems"):
        assert list(getattr(after, kind)) == list(getattr(both, kind))


def test_a_selection_is_never_more_than_what_it_was_made_from(tea):
    for name, wanted in CONDITIONS.items():
        part = tea.select(**{name: wanted})
        assert set(part.studies) <= set(tea.studies)
        assert part.select(**{name: wanted}).ledger.claims == part.ledger.claims


def test_the_order_of_conditions_never_matters_in_the_shipped_ledger():
    whole = me.load(ROOT)
    asked = {
        "topic": "hair-loss", "outcome": "response", "design": "rct", "year": (2010, 2021),
        "intervention": "meso-dutasteride", "source": "vigorfocus2023",
    }  # fmt: skip
    for few in itertools.permutations(asked, 3):
        part = whole
        for name in few:
            part = part.select(**{name: asked[name]})
        at_once = whole.select(**{name: asked[name] for name in few})
        assert [set(part.claims), set(part.studies), set(part.syntheses)] == [
            set(at_once.claims), set(at_once.studies), set(at_once.syntheses)
        ], few  # fmt: skip


@pytest.mark.parametrize(("condition", "words"), [
    ({"year": (2010, 2001)}, r"the first year comes first: \(2001, 2010\)"),
    ({"intervention": 3}, "there is no intervention 3"),
    ({"design": ["rct", 3]}, "there is no design 3"),
])  # fmt: skip
def test_a_condition_that_is_none_is_one_clear_error(tea, condition, words):
    with pytest.raises(me.EvidenceError, match=words):
        tea.select(**condition)


@pytest.mark.parametrize("year", ["2001", (2001,), [2001, 2002], (2001, "2002"), 2001.5])
def test_a_year_that_is_none_is_one_clear_error(tea, year):
    with pytest.raises(me.EvidenceError, match="a year is a whole number"):
        tea.select(year=year)


def test_tables_of_the_shipped_ledger_say_so_first(tmp_path, monkeypatch, tea):
    monkeypatch.chdir(tmp_path.parent)
    table = me.load().table("arms")

    assert repr(table).startswith("the shipped ledger")
    assert "the shipped ledger" in table._repr_html_().split("</th>")[0]
    assert tea.table("arms").columns.name is None


@pytest.mark.parametrize(("code", "hint"), [("w308", "did you mean `W308`?"), ("maybe", "see CODES")])
def test_a_flag_whose_code_there_is_not_is_named_with_the_nearest(tmp_path, code, hint):
    flagged = ledgers.STUDY + f"flags: [{{code: {code}, what: a doubt}}]\n"

    found = ledgers.evidence(tmp_path, {"evidence/studies/smith-2001.yaml": flagged}).problems

    assert [(item.code, item.message) for item in found] == [("E205", f"there is no code {code}")]
    assert found[0].hint.startswith(hint)


def test_keys_of_every_kind_complete(tea):
    for kind in ("topics", "claims", "studies", "syntheses", "references"):
        shelf = getattr(tea, kind)
        assert shelf._ipython_key_completions_() == sorted(shelf)
    assert {"claims", "problems", "select", "table"} <= set(dir(tea))


@pytest.mark.parametrize("kind", ["topics", "claims", "studies", "syntheses", "references"])
def test_mappings_are_read_only(tea, kind):
    with pytest.raises(TypeError):
        getattr(tea, kind)["x"] = None


@pytest.mark.parametrize("name", TABLES)
def test_a_written_table_reads_back_as_the_text_it_holds(tmp_path, name):
    claim = ledgers.CLAIM.replace("Green tea keeps adults awake", "'NA'")
    evidence = ledgers.evidence(tmp_path, {"evidence/claims/tea-keeps-awake.yaml": claim})

    evidence.to_csv(tmp_path / "out")
    frame = pd.read_csv(tmp_path / "out" / f"{name}.csv", keep_default_na=False, dtype=str)

    table = evidence.table(name)
    assert list(frame.columns) == list(table.columns)
    assert frame.to_numpy().tolist() == [
        ["" if pd.isna(cell) else str(cell) for cell in row]
        for row in table.astype(object).to_numpy().tolist()
    ]


def test_a_folder_that_cannot_be_made_is_one_clear_error(tea, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(me.EvidenceError, match="cannot be made"):
        tea.to_csv(tmp_path / "file" / "out")
