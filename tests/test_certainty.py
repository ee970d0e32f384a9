import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import mesoevidence as me
from mesoevidence.certainty import computed
from mesoevidence.model import CertaintyRecord
from mesoevidence.suggestions import DOWN, LEVELS, UP
from mesoevidence.targets import per_arm_means, per_arm_risks
from tests import ledgers

GOLDEN = json.loads(Path(__file__).with_name("golden").joinpath("judgement.json").read_text(encoding="utf-8"))
TOPIC, STUDY = "evidence/topics/tea.yaml", "evidence/studies/smith-2001.yaml"
SYNTHESIS = "evidence/syntheses/tea-v-water.yaml"
OTHER = "evidence/studies/other-2002.yaml"
ROWS = [
    pytest.param(row, id=f"{table['what'].split(',')[0]}: {row['outcome']}")
    for table in GOLDEN["grade"]
    for row in table["rows"]
]


def record(start="high", down=None, up=None):
    """Return a certainty record of these steps, each with a why."""
    steps = {name: {"down": str((down or {}).get(name, 0)), "why": "seen"} for name in DOWN}
    ups = {name: {"up": str(n), "why": "seen"} for name, n in (up or {}).items()}
    return CertaintyRecord.model_validate(
        {"system": "grade", "start": {"level": start, "why": "design"}, **steps, **ups}
    )


@pytest.mark.parametrize("row", ROWS)
def test_the_level_is_the_one_that_published_profiles_print(row):
    assert computed(record(row["start"], row["down"])) == row["rating"]


def test_observational_evidence_with_a_very_large_effect_rises_two_levels_and_none_rises_beyond_high():
    assert computed(record("low", up={"large_effect": 2})) == "high"
    assert computed(record("high", up={"large_effect": 2})) == "high"
    assert computed(record("low", {"risk_of_bias": 3})) == "very-low"


@given(st.sampled_from(LEVELS), st.data())
def test_a_worse_domain_never_raises_certainty(start, data):
    down = {name: data.draw(st.integers(0, 3)) for name in DOWN}
    up = {name: data.draw(st.integers(0, 2)) for name in UP}
    worse = dict(down)
    name = data.draw(st.sampled_from(list(DOWN)))
    worse[name] = data.draw(st.integers(down[name], 3))

    before, after = computed(record(start, down, up)), computed(record(start, worse, up))

    assert LEVELS.index(after) >= LEVELS.index(before)


@pytest.mark.parametrize(("risk", "persons"), GOLDEN["information_size"]["per_arm"].items())
def test_the_information_size_is_the_sample_size_that_r_computes(risk, persons):
    assert per_arm_risks(float(risk), 0.75 * float(risk)) == pytest.approx(persons, rel=1e-4)


def test_a_small_standardised_difference_needs_the_four_hundred_per_arm_that_grade_names():
    assert per_arm_means(0.2) == pytest.approx(392.4, abs=0.05)


PARTS = """\
certainty:
  system: grade
  start: {level: high, why: "a trial"}
  threshold: no-effect
  risk_of_bias: {down: 0, why: "seen"}
  inconsistency: {down: 0, why: "seen"}
  indirectness: {down: 0, why: "seen"}
  imprecision: {down: 0, why: "seen"}
  publication_bias: {down: 0, why: "seen"}
  overall: {judgement: high, why: "its parts", by: mesoevidence, on: 2026-01-31}
"""


def found(tmp_path, parts=PARTS, **changes):
    """Return the codes and lines that the checks find in the small ledger with a judged synthesis."""
    return [(p.code, p.line) for p in judged(tmp_path, parts, **changes).problems]


def judged(tmp_path, parts=PARTS, study=ledgers.STUDY, synthesis=ledgers.SYNTHESIS, **more):
    return ledgers.evidence(tmp_path, {STUDY: study, SYNTHESIS: synthesis + parts, **more})


def test_a_level_that_its_parts_give_is_no_problem(tmp_path):
    assert found(tmp_path) == []


def test_a_level_that_its_parts_do_not_give_is_an_error_at_its_line(tmp_path):
    parts = PARTS.replace("imprecision: {down: 0", "imprecision: {down: 1")

    problems = judged(tmp_path, parts).problems

    assert [(p.code, p.line) for p in problems] == [("E411", 15)]
    assert "`high`, where its parts give `moderate`: high, less 1 for imprecision" in str(problems[0])


def test_a_step_down_says_why(tmp_path):
    parts = PARTS.replace('imprecision: {down: 0, why: "seen"}', "imprecision: {down: 1}")

    assert found(tmp_path, parts.replace("judgement: high", "judgement: moderate")) == [("E412", 13)]


def test_certainty_without_its_parts_is_an_error_and_says_which(tmp_path):
    parts = PARTS.replace('  start: {level: high, why: "a trial"}\n', "")

    assert [str(p) for p in judged(tmp_path, parts).problems] == [
        "evidence/syntheses/tea-v-water.yaml:6:1: E413 no start"
    ]


def test_what_is_not_graded_says_why_and_is_called_so(tmp_path):
    silent = "certainty: {system: none}\n"
    told = 'certainty: {system: none, why: "one case"}\n'

    assert found(tmp_path, silent) == [("E413", 6)]
    assert found(tmp_path, told) == []
    rated = me.rate(judged(tmp_path, told), "tea-v-water")
    assert (rated.level, rated.computed, rated.why) == ("not-graded", None, "one case")
    assert rated.statement == "The certainty of this evidence was not graded."


def test_a_suggestion_that_differs_asks_for_a_why_and_never_changes_the_record(tmp_path):
    parts = PARTS.replace('imprecision: {down: 0, why: "seen"}', "imprecision: {down: 0}")
    evidence = judged(tmp_path, parts)

    assert [(p.code, p.line) for p in evidence.problems] == [("W601", 13)]
    assert me.rate(evidence, "tea-v-water").level == "high"
    domain = me.rate(evidence, "tea-v-water").domain("imprecision")
    inputs = "control risk 25.00 %, relative reduction 25 %"
    assert (domain.steps, domain.suggested, domain.differs) == (0, 2, True)
    assert domain.because == (  # 1372 as R's power.prop.test gives, the interval by hand
        "target: an effect, against no effect",
        "interval 1.04 to 5.55",
        "it does not cross",
        f"40 persons of an optimal information size of 1372 ({inputs})",
        "the effect is large, so the information size counts",
    )


def test_up_beside_down_asks_for_a_why(tmp_path):
    parts = PARTS.replace("start: {level: high", "start: {level: low").replace(
        "risk_of_bias: {down: 0", "risk_of_bias: {down: 1"
    )
    parts = parts.replace("  overall", "  large_effect: {up: 1}\n  overall").replace(
        "judgement: high", "judgement: low"
    )
    study = ledgers.STUDY.replace("design: rct", "design: cohort")

    assert found(tmp_path, parts, study=study) == [("W602", 15)]
    assert found(tmp_path, parts.replace("up: 1", 'up: 1, why: "seen"'), study=study) == []


def test_a_body_starts_no_higher_than_its_lowest_design(tmp_path):
    assert found(tmp_path, study=ledgers.STUDY.replace("design: rct", "design: cohort")) == [("W603", 8)]


def test_non_randomised_studies_appraised_with_robins_i_may_start_high(tmp_path):
    domains = [
        "confounding",
        "selection",
        "classification",
        "deviations",
        "missing-data",
        "measurement",
        "reporting",
    ]
    rows = "".join(f"      {name}: {{judgement: low, why: seen}}\n" for name in domains)
    block = f"rob:\n  - tool: robins-i-v1\n    domains:\n{rows}    overall: "
    block += "{judgement: low, why: seen, by: mesoevidence, on: 2026-01-31}\n"
    cohort = ledgers.STUDY.replace("design: rct", "design: cohort")

    assert found(tmp_path, study=cohort + block) == []
    unassessed = block.replace("judgement: low", "judgement: not-assessed")
    assert found(tmp_path, study=cohort + unassessed) == [("W603", 8)]
    serious = cohort + block.replace("judgement: low", "judgement: serious")
    paid = PARTS.replace("risk_of_bias: {down: 0", "risk_of_bias: {down: 2").replace(
        "overall: {judgement: high", "overall: {judgement: low"
    )
    assert found(tmp_path, study=serious) == [("W603", 8)]
    assert found(tmp_path, paid, study=serious) == []


def study(name, tea, water, n=20, extra=""):
    """Return a study in which so many of `n` stayed awake with tea and with water."""
    text = ledgers.STUDY.replace("smith-2001", name).replace("events: 12, n: 20", f"events: {tea}, n: {n}")
    text = text.replace("events: 5, n: 20", f"events: {water}, n: {n}").replace(
        "12 of 20 v 5 of 20", f"{tea} of {n} v {water} of {n}"
    )
    return text.replace("n: 20}", f"n: {n}}}") + extra


TWO = ledgers.SYNTHESIS.replace(
    "analysis:",
    "  - {study: other-2002, result: evening, intervention: [tea], comparator: [water]}\nanalysis:",
).replace("knha", "z")


def suggested(tmp_path, name, first, second, synthesis=TWO, parts=PARTS, **more):
    """Return what two studies suggest for one domain."""
    changes = {OTHER: study("other-2002", *second[0], **second[1]), **more}
    evidence = judged(tmp_path, parts, study("smith-2001", *first[0], **first[1]), synthesis, **changes)
    return me.rate(evidence, "tea-v-water").domain(name)


def test_results_on_both_sides_of_no_effect_that_do_not_overlap_are_inconsistent(tmp_path):
    alike = suggested(tmp_path, "inconsistency", ((120, 50), {"n": 200}), ((110, 55), {"n": 200}))
    apart = suggested(tmp_path, "inconsistency", ((120, 50), {"n": 200}), ((50, 120), {"n": 200}))

    assert alike.suggested == 0 and "of no effect: 2 above" in alike.because
    assert apart.suggested == 2 and "of no effect: 1 above, 1 below" in apart.because


def test_results_that_differ_in_size_alone_are_not_rated_down(tmp_path):
    spread = suggested(tmp_path, "inconsistency", ((190, 50), {"n": 200}), ((70, 50), {"n": 200}))

    assert spread.suggested == 0 and "not all intervals overlap" in spread.because


def test_an_interval_across_no_effect_is_imprecise_and_a_narrow_modest_one_is_not(tmp_path):
    crossing = suggested(tmp_path, "imprecision", ((7, 5), {}), ((6, 6), {}))
    narrow = suggested(tmp_path, "imprecision", ((900, 600), {"n": 1000}), ((880, 610), {"n": 1000}))

    assert (crossing.suggested, narrow.suggested) == (1, 0)


def test_a_large_effect_in_few_persons_is_held_against_the_information_size(tmp_path):
    few = suggested(tmp_path, "imprecision", ((18, 4), {}), ((17, 5), {}))

    assert few.suggested == 2
    assert any("80 persons of an optimal information size of" in said for said in few.because)


def test_an_interval_that_reaches_both_bounds_of_a_range_is_two_steps(tmp_path):
    parts = PARTS.replace("threshold: no-effect", "threshold: {range: [0.9, 1.1]}")

    assert suggested(tmp_path, "imprecision", ((7, 6), {}), ((6, 7), {}), parts=parts).suggested == 2


ROB = """\
rob:
  - tool: custom
    domains: {{blinding: {{judgement: {0}, why: seen}}}}
    overall: {{judgement: {0}, why: seen, by: mesoevidence, on: 2026-01-31}}
"""


@pytest.mark.parametrize("bounds", ["[1.25, 0.8]", "[1, 1]"])
def test_a_range_in_which_nothing_lies_is_an_error_at_its_line(tmp_path, bounds):
    parts = PARTS.replace("threshold: no-effect", f"threshold: {{range: {bounds}}}")

    assert found(tmp_path, parts) == [("E222", 9)]


def test_unequal_arms_count_as_the_equal_ones_that_would_tell_as_much(tmp_path):
    """4 x 36 x 4 / 40 = 14.4 by hand."""
    unequal = ledgers.STUDY.replace("n: 20", "n: 36", 1).replace("events: 12, n: 20", "events: 35, n: 36")
    unequal = unequal.replace("water, n: 20", "water, n: 4").replace("events: 5, n: 20", "events: 1, n: 4")
    unequal = unequal.replace("12 of 20 v 5 of 20", "35 of 36 v 1 of 4")
    synthesis = ledgers.SYNTHESIS + "baseline: {risk: 0.25, from: {ref: smith2001, at: abstract}}\n"
    parts = PARTS.replace("threshold: no-effect", "threshold: {range: [0.5, 0.6]}")

    because = (
        me.rate(judged(tmp_path, parts, unequal, synthesis), "tea-v-water").domain("imprecision").because
    )

    assert any("40 persons, worth 14 in two equal arms, of an optimal" in said for said in because)


def test_the_control_risk_is_that_of_the_studies_that_counted_events(tmp_path):
    silent = study("other-2002", 11, 6).replace("events: 6, n: 20", "n: 20")
    rated = me.rate(
        judged(tmp_path, PARTS, study("smith-2001", 18, 4), TWO, **{OTHER: silent}), "tea-v-water"
    )

    assert any("control risk 20.00 %" in said for said in rated.domain("imprecision").because)


def test_an_outcome_that_is_neither_a_share_nor_a_mean_has_no_information_size(tmp_path):
    topic = ledgers.TOPIC.replace("type: dichotomous", "type: time-to-event")
    effect = "effect: {measure: HR, estimate: 3, ci: [2, 4.5], level: 0.95}"
    timed = (
        ledgers.STUDY.partition("    values:")[0]
        + f"    {effect}\n    from: {{ref: smith2001, at: abstract, "
    )
    timed += 'method: reported, figures: "3 (2 to 4.5)"}\n'
    synthesis = ledgers.SYNTHESIS.replace("measure: RR", "measure: GEN")

    rated = me.rate(judged(tmp_path, study=timed, synthesis=synthesis, **{TOPIC: topic}), "tea-v-water")

    assert "no information size for an outcome of type time-to-event" in rated.domain("imprecision").because


@pytest.mark.parametrize("status", ["rejected", "superseded"])
def test_what_was_set_aside_is_not_called_a_draft(tmp_path, status):
    text = str(me.rate(judged(tmp_path, synthesis=f"{ledgers.SYNTHESIS}status: {status}\n"), "tea-v-water"))

    assert f"high ({status})" in text and "draft" not in text


def test_a_large_effect_raises_only_where_two_studies_find_it_and_a_very_large_one_by_two_levels(tmp_path):
    def steps(tea, water, synthesis):
        first, second = (
            study(name, tea, water, 100).replace("design: rct", "design: cohort")
            for name in ("smith-2001", "other-2002")
        )
        evidence = judged(tmp_path, PARTS, first, synthesis, **{OTHER: second})
        return me.rate(evidence, "tea-v-water").domain("large_effect").suggested

    assert (steps(60, 20, ledgers.SYNTHESIS), steps(60, 20, TWO)) == (0, 1)
    assert (steps(60, 10, ledgers.SYNTHESIS), steps(38, 20, TWO)) == (2, 0)


def test_an_odds_ratio_is_large_as_the_risk_ratio_it_makes_of_the_baseline_risk(tmp_path):
    first, second = (
        study(name, 60, 20, 100).replace("design: rct", "design: cohort")
        for name in ("smith-2001", "other-2002")
    )

    def large_effect(more=""):
        synthesis = TWO.replace("measure: RR", "measure: OR") + more
        evidence = judged(tmp_path, PARTS, first, synthesis, **{OTHER: second})
        return me.rate(evidence, "tea-v-water").domain("large_effect")

    baseline = "baseline: {{risk: {}, from: {{ref: smith2001, at: abstract}}}}\n"
    assert large_effect().because == ("an odds ratio without a baseline risk",)
    assert large_effect(baseline.format("0.2")).because[0] == "risk ratio 3.00"  # 6 / (1 - 0.2 + 6 x 0.2)
    assert [large_effect(baseline.format(risk)).suggested for risk in ("0.01", "0.2", "0.5")] == [2, 1, 0]


def test_risk_of_bias_goes_by_the_weight_of_the_studies_at_high_risk_and_by_what_they_change(tmp_path):
    def steps(first, second, tea=120):
        extra = [{"n": 200, "extra": ROB.format(level)} for level in (first, second)]
        return suggested(tmp_path, "risk_of_bias", ((120, 50), extra[0]), ((tea, 50), extra[1]))

    assert steps("low", "low").suggested == 0
    assert steps("high", "high").suggested == 2
    assert steps("low", "high").suggested == 1
    assert steps("not-assessed", "not-assessed").suggested == 1
    assert (
        "leaving them out does not change the answer: RR 2.40 (95 % CI 1.84 to 3.13)"
        in steps("low", "high").because
    )
    assert suggested(tmp_path, "risk_of_bias", ((120, 50), {}), ((120, 50), {})).suggested is None


def test_small_studies_paid_by_industry_raise_the_suspicion_of_publication_bias(tmp_path):
    paid, public = {"extra": "funding: industry\n"}, {"extra": "funding: public\n"}

    assert suggested(tmp_path, "publication_bias", ((12, 5), paid), ((11, 6), paid)).suggested == 1
    assert suggested(tmp_path, "publication_bias", ((12, 5), public), ((11, 6), public)).suggested == 0
    assert suggested(tmp_path, "publication_bias", ((12, 5), {}), ((11, 6), {})).suggested is None


def test_arms_and_populations_other_than_the_question_are_indirect(tmp_path):
    synthesis = TWO.replace("intervention: green-tea, comparator", "intervention: water, comparator")

    domain = suggested(tmp_path, "indirectness", ((12, 5), {}), ((11, 6), {}), synthesis)

    assert domain.suggested == 1 and "Smith 2001 has another intervention" in domain.because


BASELINE = 'baseline: {risk: 0.25, from: {ref: smith2001, at: abstract, figures: "5 of 20"}}\n'


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("high", "Green tea results in a large increase in awake or not compared with water (RR"),
        (
            "moderate",
            "Green tea probably results in a large increase in awake or not compared with water (RR",
        ),
        ("low", "Green tea may result in a large increase in awake or not compared with water (RR"),
        (
            "very-low",
            "The evidence is very uncertain about the effect of green tea on awake or not",
        ),
    ],
)
def test_what_may_be_said_is_worded_by_certainty_and_size(tmp_path, level, said):
    parts = PARTS.replace("judgement: high", f"judgement: {level}")

    assert me.rate(judged(tmp_path, parts), "tea-v-water").statement.startswith(said)


def test_a_mid_counts_for_a_difference_in_its_own_unit_and_for_no_standardised_one(tmp_path):
    mid = "mid: {value: 40, from: {ref: smith2001, at: abstract}}"
    topic = ledgers.TOPIC.replace("unit: ms, better: lower", f"unit: ms, better: lower, {mid}")
    values = "mean: 300, sd: 20, n: 20}"
    result = ledgers.STUDY.replace("outcome: awake", "outcome: reaction-time").replace(
        "12 of 20 v 5 of 20", "300 (20) v 330 (20), 20 each"
    )
    result = result.replace("events: 12, n: 20}", values).replace(
        "events: 5, n: 20}", values.replace("300", "330")
    )
    question = ledgers.SYNTHESIS.replace("outcome: awake", "outcome: reaction-time")
    parts = PARTS.replace("threshold: no-effect", "threshold: mid")

    def seen(measure):
        changed = {
            TOPIC: topic,
            "study": result,
            "synthesis": question.replace("measure: RR", f"measure: {measure}"),
        }
        return me.rate(judged(tmp_path, parts, **changed), "tea-v-water").seen

    assert (seen("MD").threshold.said, seen("MD").size()) == ("the MID of 40", "small")
    assert seen("SMD").threshold is None


def test_how_often_something_happens_is_said_as_a_share_with_its_interval(tmp_path):
    question = ledgers.SYNTHESIS.replace("comparator: water", "comparator: none").replace(
        "comparator: [water]", "comparator: none"
    )
    evidence = judged(
        tmp_path,
        PARTS.replace("judgement: high", "judgement: low"),
        synthesis=question.replace("measure: RR", "measure: PLO"),
    )

    said = me.rate(evidence, "tea-v-water")

    assert said.statement == "With green tea, awake or not may occur in 60.0 % (95 % CI 38.0 to 78.6 %)."
    assert said.plain.startswith("With green tea, awake or not may occur in 60.0 % of persons.")


def test_an_effect_inside_the_threshold_is_little_to_no_difference(tmp_path):
    parts = PARTS.replace("threshold: no-effect", "threshold: {range: [0.3, 3]}")

    assert (
        "results in little to no difference in awake or not"
        in me.rate(judged(tmp_path, parts), "tea-v-water").statement
    )


def test_the_plain_sentence_counts_in_a_hundred_persons_where_a_baseline_is_known(tmp_path):
    evidence = judged(
        tmp_path, PARTS.replace("judgement: high", "judgement: low"), synthesis=ledgers.SYNTHESIS + BASELINE
    )
    rated = me.rate(evidence, "tea-v-water")

    assert rated.seen.absolute.estimate == pytest.approx(0.25 * (12 / 5 - 1))
    assert rated.plain.endswith(
        "Further research may well change this. In 100 persons: 25 without it, 60 with it."
    )


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ("effect: {measure: RR, estimate: 2, ci: [1.5, 2.7]}", "Green tea increases awake or not compared"),
        ("effect: {measure: RR, estimate: 0.5, ci: [0.3, 0.8]}", "Green tea decreases awake or not compared"),
        ("effect: {measure: RR, estimate: 1.2, ci: [0.8, 1.7]}", "Whether green tea increases or decreases"),
        ("direction: no-difference", "Green tea results in little to no difference in awake or not"),
        ("direction: mixed", "Whether green tea increases or decreases awake or not"),
    ],
)
def test_what_was_not_pooled_is_said_by_the_direction_that_was_printed(tmp_path, seen, said):
    figures = 'figures: "2 (1.5 to 2.7); 0.5 (0.3 to 0.8); 1.2 (0.8 to 1.7)"'
    result = ledgers.STUDY.partition("    values:")[0]
    result += f"    {seen}\n    from: {{ref: smith2001, at: abstract, method: reported, {figures}}}\n"
    narrative = ledgers.SYNTHESIS.partition("analysis:")[0]
    narrative += 'narrative: {why: "one study", by: direction}\n'

    rated = me.rate(judged(tmp_path, study=result, synthesis=narrative), "tea-v-water")

    assert rated.statement.startswith(said)


def test_what_nobody_judged_yet_is_said_and_has_no_level(tmp_path):
    rated = me.rate(judged(tmp_path, ""), "tea-v-water")

    assert (rated.level, rated.computed, rated.symbol) == (None, None, "")
    assert rated.statement == "The certainty of this evidence was not judged yet."


def test_a_draft_is_shown_as_unreviewed_and_markup_stays_text(tmp_path):
    evidence = judged(tmp_path, synthesis=ledgers.SYNTHESIS + "label: <b>Tea</b>\n")
    rated = me.rate(evidence, "tea-v-water")

    assert "high (draft, unreviewed)" in str(rated)
    assert "<b>Tea</b>" not in rated._repr_html_() and "&lt;b&gt;Tea&lt;/b&gt;" in rated._repr_html_()
    assert repr(rated) == "<Certainty tea-v-water: high>"


def test_the_domains_are_a_frame_with_start_first(tmp_path):
    frame = me.rate(judged(tmp_path), "tea-v-water").to_frame()

    assert list(frame["domain"]) == ["start", *DOWN, *UP]
    assert list(frame.columns) == ["domain", "kind", "recorded", "why", "suggested", "because"]


def test_the_effect_is_the_one_that_pooling_gives_for_every_synthesis_of_the_ledger():
    evidence = me.load()
    for name, synthesis in evidence.syntheses.items():
        if synthesis.analysis:
            pooled, seen = me.pool(evidence, name), me.rate(evidence, name).seen
            assert (seen.computed.estimate, (seen.computed.low, seen.computed.high)) == (
                pooled.estimate,
                pooled.ci,
            )


def test_every_recorded_level_of_the_ledger_is_what_its_parts_give():
    evidence = me.load()
    for name in evidence.syntheses:
        rated = me.rate(evidence, name)
        assert rated.level in (rated.computed, "not-graded", None)


def test_a_synthesis_that_is_not_there_is_named_with_the_nearest(tmp_path):
    with pytest.raises(me.EvidenceError, match="did you mean `tea-v-water`"):
        me.rate(judged(tmp_path), "tea-v-watr")
