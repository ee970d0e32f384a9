import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from mesoevidence.appraisal import TOOLS, overall
from mesoevidence.charts import lights
from tests import ledgers

GOLDEN = json.loads(Path(__file__).with_name("golden").joinpath("judgement.json").read_text(encoding="utf-8"))
STUDY = "evidence/studies/smith-2001.yaml"
APPRAISALS = [
    pytest.param(table["tool"], study, id=study["study"])
    for table in GOLDEN["risk_of_bias"]
    for study in table["studies"]
]


@pytest.mark.parametrize(("tool", "study"), APPRAISALS)
def test_the_overall_risk_of_bias_is_the_one_that_reviews_print(tool, study):
    assert overall(tool, study["domains"]) == study["overall"]


@pytest.mark.parametrize("review", GOLDEN["amstar2"]["reviews"], ids=lambda review: review["review"])
def test_confidence_in_a_review_is_the_one_that_an_overview_prints(review):
    assert (
        overall("amstar2", dict(zip(TOOLS["amstar2"].domains, review["items"], strict=True)))
        == review["overall"]
    )


def test_a_review_without_a_critical_flaw_is_moderate_from_two_lesser_ones():
    items = dict.fromkeys(TOOLS["amstar2"].domains, "yes")

    assert overall("amstar2", {**items, "designs": "no"}) == "high"
    assert overall("amstar2", {**items, "designs": "no", "heterogeneity": "no"}) == "moderate"


def test_a_critical_flaw_that_was_seen_weighs_whatever_else_could_not_be_judged():
    items = dict.fromkeys(TOOLS["amstar2"].domains, "yes") | {"protocol": "no", "interests": "not-assessed"}

    assert overall("amstar2", items) == "low"
    assert overall("amstar2", items | {"search": "no"}) == "critically-low"
    assert overall("amstar2", items | {"protocol": "yes"}) == "not-assessed"


def test_every_word_of_every_tool_has_a_light_of_its_own_in_the_charts():
    for name, tool in TOOLS.items():
        judged = [f"{word}-confidence" if name == "amstar2" else word for word in tool.overall]
        for word in (*tool.levels, *judged, "not-assessed"):
            assert word in lights.ORDER, f"{name}: {word}"


def rob(domains, judged, tool="rob2"):
    """Return the small study with an appraisal."""
    parts = "".join(f"      {name}: {{judgement: {level}, why: seen}}\n" for name, level in domains.items())
    block = f"rob:\n  - tool: {tool}\n    domains:\n{parts}    overall: "
    return {
        STUDY: f"{ledgers.STUDY}{block}{{judgement: {judged}, why: seen, by: mesoevidence, on: 2026-01-31}}\n"
    }


def codes(tmp_path, *arguments, **options):
    return [(p.code, p.line) for p in ledgers.evidence(tmp_path, rob(*arguments, **options)).problems]


def test_the_one_printed_rating_that_is_better_than_its_domains_is_an_error_at_its_line(tmp_path):
    table = GOLDEN["robins_against_rule"]

    found = {
        study["study"]: codes(tmp_path, study["domains"], study["overall"], table["tool"])
        for study in table["studies"]
    }

    assert {name: problems for name, problems in found.items() if problems} == {"Rane 2022": [("E401", 26)]}


LOW = dict.fromkeys(TOOLS["rob2"].domains, "low")


def test_an_overall_judgement_may_be_worse_than_its_domains(tmp_path):
    assert codes(tmp_path, LOW, "high") == []


@pytest.mark.parametrize(
    ("change", "judged"),
    [
        ({"deviations": "not-assessed"}, "low"),
        ({"deviations": "not-assessed", "measurement": "some-concerns"}, "some-concerns"),
        ({"deviations": "not-assessed", "measurement": "high"}, "not-assessed"),
    ],
)
def test_a_domain_that_nobody_could_judge_hides_nothing_and_is_not_low(tmp_path, change, judged):
    assert [code for code, _ in codes(tmp_path, LOW | change, judged)] == ["E401"]


def test_what_could_not_be_judged_is_high_if_another_domain_is_and_not_assessed_otherwise():
    assert overall("rob2", LOW | {"deviations": "not-assessed", "measurement": "high"}) == "high"
    assert (
        overall("rob2", LOW | {"deviations": "not-assessed", "measurement": "some-concerns"})
        == "not-assessed"
    )


def test_a_tool_has_its_own_domains_and_levels_and_each_is_needed(tmp_path):
    short = {name: level for name, level in LOW.items() if name != "reporting"}

    assert [code for code, _ in codes(tmp_path, short, "low")] == ["E403"]
    assert [code for code, _ in codes(tmp_path, LOW | {"blinding": "low"}, "low")] == ["E402"]
    assert [code for code, _ in codes(tmp_path, LOW | {"reporting": "serious"}, "low")] == ["E402"]


def test_three_domains_with_concerns_ask_for_a_second_look(tmp_path):
    some = LOW | dict.fromkeys(("randomisation", "deviations", "measurement"), "some-concerns")

    assert [code for code, _ in codes(tmp_path, some, "some-concerns")] == ["W604"]


@given(st.data())
def test_a_worse_domain_never_makes_the_overall_judgement_better(data):
    name = data.draw(st.sampled_from([name for name, tool in TOOLS.items() if tool.rule]))
    tool = TOOLS[name]
    slugs = list(tool.domains) or ["one", "two", "three"]
    levels = ("yes", "partial-yes", "no") if name == "amstar2" else tool.overall
    domains = {slug: data.draw(st.sampled_from(levels)) for slug in slugs}
    worse = {
        slug: data.draw(st.sampled_from(levels[levels.index(level) :])) for slug, level in domains.items()
    }
    ranks = tool.ranks()

    assert ranks.index(overall(name, worse)) >= ranks.index(overall(name, domains))


def test_the_matrix_of_missing_results_names_studies_that_compared_the_arms_and_show_no_result(tmp_path):
    silent = ledgers.STUDY.replace("smith-2001", "silent-2002").partition("results:")[0]
    review = silent.replace("silent-2002", "review-2003").replace("design: rct", "design: narrative-review")
    changes = {
        f"evidence/studies/{name}.yaml": text
        for name, text in (("silent-2002", silent), ("review-2003", review))
    }
    evidence = ledgers.evidence(tmp_path, changes)

    rows = evidence.table("missing_results").set_index("study")["availability"].to_dict()

    assert rows == {"smith-2001": "included", "silent-2002": "not-seen"}
