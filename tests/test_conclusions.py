import pytest

import mesoevidence as me
from mesoevidence.strength import evidence_strength
from tests import ledgers

CLAIM = "evidence/claims/tea-keeps-awake.yaml"
STUDY = "evidence/studies/smith-2001.yaml"
SYNTHESIS = "evidence/syntheses/tea-v-water.yaml"
LINE = "  - {study: smith-2001, direction: supports, directness: direct}\n"


def strength(tmp_path, changes):
    evidence = ledgers.evidence(tmp_path, changes)
    return evidence_strength(evidence.claims["tea-keeps-awake"], evidence.ledger)


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("rct", "low"),
        ("cohort", "low"),
        ("before-after", "very-low"),
        ("in-vitro", "very-low"),
        ("animal", "very-low"),
    ],
)
def test_a_single_study_gives_a_provisional_certainty_never_above_low(tmp_path, design, expected):
    changes = {STUDY: ledgers.STUDY.replace("design: rct", f"design: {design}")}

    assert strength(tmp_path, changes) == expected


def test_what_was_read_second_hand_is_very_low_at_most(tmp_path):
    assert (
        strength(tmp_path, {STUDY: ledgers.STUDY.replace("read: abstract", "read: secondary")}) == "very-low"
    )


def test_a_study_whose_every_number_was_read_elsewhere_is_second_hand(tmp_path):
    assert (
        strength(tmp_path, {STUDY: ledgers.STUDY.replace("ref: smith2001", "ref: magazine2020")})
        == "very-low"
    )


def test_an_indirect_line_carries_one_level_less(tmp_path):
    line = "  - {study: smith-2001, direction: supports, directness: indirect, gap: [population]}\n"

    assert strength(tmp_path, {CLAIM: ledgers.CLAIM.replace(LINE, line)}) == "very-low"


def test_an_expert_opinion_is_no_evidence_by_itself(tmp_path):
    assert (
        strength(tmp_path, {STUDY: ledgers.STUDY.replace("design: rct", "design: expert-opinion")}) == "none"
    )


def test_a_claim_without_a_line_has_no_evidence(tmp_path):
    assert strength(tmp_path, {CLAIM: ledgers.CLAIM.replace("evidence:\n" + LINE, "")}) == "none"


@pytest.mark.parametrize(("level", "expected"), [("moderate", "moderate"), (None, "low")])
def test_a_synthesis_gives_its_certainty_and_before_it_is_judged_its_best_study_does(
    tmp_path, level, expected
):
    certainty = f"""
certainty:
  system: grade
  overall: {{judgement: {level}, why: "as judged", by: mesoevidence, on: 2026-01-31}}
"""
    line = "  - {synthesis: tea-v-water, direction: supports, directness: direct}\n"
    changes = {
        CLAIM: ledgers.CLAIM.replace(LINE, line),
        SYNTHESIS: ledgers.SYNTHESIS + (certainty if level else ""),
    }

    assert strength(tmp_path, changes) == expected


def concluded(tmp_path, claim=ledgers.CLAIM, certainty=None, study=ledgers.STUDY):
    """Return the conclusion, with the claim resting on the synthesis when a certainty is given."""
    changes = {CLAIM: claim, STUDY: study}
    if certainty:
        changes[CLAIM] = claim.replace("study: smith-2001", "synthesis: tea-v-water")
        overall = f"{{judgement: {certainty}, why: as judged, by: mesoevidence, on: 2026-01-31}}"
        changes[SYNTHESIS] = f"{ledgers.SYNTHESIS}certainty: {{system: grade, overall: {overall}}}\n"
    return me.conclude(ledgers.evidence(tmp_path, changes), "tea-keeps-awake")


def worded(wording, size="not-stated", direction="supports"):
    claim = ledgers.CLAIM.replace("wording: certain, size: large", f"wording: {wording}, size: {size}")
    return claim.replace("direction: supports", f"direction: {direction}")


# The table of verdicts in the schema: certainty x wording x direction.
TABLE = [
    ("high", "certain", "supports", "supported"),
    ("moderate", "certain", "supports", "overstated"),
    ("moderate", "probable", "supports", "supported"),
    ("high", "possible", "neutral", "contradicted"),
    ("moderate", "possible", "contradicts", "contradicted"),
    ("low", "possible", "supports", "supported"),
    ("low", "probable", "supports", "overstated"),
    ("low", "possible", "neutral", "overstated"),
    ("low", "possible", "contradicts", "overstated"),
    ("very-low", "possible", "supports", "insufficient"),
    ("very-low", "certain", "neutral", "insufficient"),
    ("very-low", "certain", "contradicts", "insufficient"),
]


@pytest.mark.parametrize(("certainty", "wording", "direction", "verdict"), TABLE)
def test_the_verdict_follows_the_table(tmp_path, certainty, wording, direction, verdict):
    assert concluded(tmp_path, worded(wording, direction=direction), certainty).verdict == verdict


MODEST = ledgers.STUDY.replace("events: 5,", "events: 9,").replace("5 of 20", "9 of 20")  # a ratio of 4/3


def test_what_could_not_be_read_is_named_and_no_lack_of_evidence_is_claimed(tmp_path):
    evidence = ledgers.evidence(tmp_path, {STUDY: ledgers.STUDY.replace("design: rct", "design: rtc")})

    conclusion = me.conclude(evidence, "tea-keeps-awake")

    assert conclusion.verdict == "not-assessed"
    assert conclusion.reasons[-1] == "not weighed, because missing or not to be read: smith-2001"
    assert not any("no evidence was recorded" in reason for reason in conclusion.reasons)


def test_a_study_that_cannot_be_read_makes_no_verdict_a_problem_of_its_own(tmp_path):
    claim = SAME.replace("judgement: overstated", "judgement: supported")
    for study in (ledgers.STUDY.replace("design: rct", "design: rtc"), None):
        folder = tmp_path / ("broken" if study else "missing")
        overall = "{judgement: high, why: as judged, by: mesoevidence, on: 2026-01-31}"
        changes = {
            CLAIM: claim.replace("study: smith-2001", "synthesis: tea-v-water"),
            STUDY: study,
            SYNTHESIS: f"{ledgers.SYNTHESIS}certainty: {{system: grade, overall: {overall}}}\n",
        }
        assert "E421" not in {problem.code for problem in ledgers.evidence(folder, changes).problems}


@pytest.mark.parametrize("status", ["rejected", "superseded"])
def test_a_record_that_was_set_aside_is_no_evidence_and_is_named_where_it_is_used(tmp_path, status):
    aside = {STUDY: f"{ledgers.STUDY}status: {status}\n"}

    evidence = ledgers.evidence(tmp_path, aside)

    assert strength(tmp_path, aside) == "none"
    assert [(p.path, p.line) for p in evidence.problems if p.code == "W708"] == [(CLAIM, 9), (SYNTHESIS, 4)]


@pytest.mark.parametrize(
    ("asserts", "direction", "codes"),
    [
        ("increase", "supports", []),
        ("increase", "contradicts", ["W605"]),
        ("decrease", "supports", ["W605"]),
        ("decrease", "contradicts", []),
        ("increase", "neutral", []),
    ],
)
def test_a_line_that_points_against_the_interval_of_its_synthesis_is_named(
    tmp_path, asserts, direction, codes
):
    claim = worded("possible", direction=direction).replace("asserts: increase", f"asserts: {asserts}")
    changes = {CLAIM: claim.replace("study: smith-2001", "synthesis: tea-v-water")}

    problems = ledgers.evidence(tmp_path, changes).problems

    assert [problem.code for problem in problems if problem.code == "W605"] == codes


def test_evidence_that_points_the_other_way_bears_out_no_size(tmp_path):
    assert concluded(tmp_path, worded("certain", "large", "contradicts"), "high").overclaim_size == 3


def test_a_size_that_the_data_do_not_bear_out_is_overstated(tmp_path):
    large = concluded(tmp_path, worded("probable", "large"), "moderate")
    modest = concluded(tmp_path, worded("probable", "large"), "moderate", MODEST)

    assert (large.verdict, large.overclaim_size) == ("supported", 0)
    assert (modest.verdict, modest.overclaim_size) == ("overstated", 1)
    assert modest.reasons[-1] == "called large, where some is borne out: that is the size in the data"


def test_a_single_study_bears_out_no_large_effect(tmp_path):
    conclusion = concluded(tmp_path, worded("possible", "large"))

    assert (conclusion.verdict, conclusion.overclaim, conclusion.overclaim_size) == ("overstated", 0, 1)
    assert conclusion.reasons[-1] == "called large, where some is borne out: no size was computed"


def test_evidence_that_allows_no_conclusion_bears_out_no_size(tmp_path):
    assert concluded(tmp_path, worded("possible", "some"), "very-low").overclaim_size == 2
    assert concluded(tmp_path, worded("possible"), "very-low").overclaim_size is None


@pytest.mark.parametrize("wording", ["certain", "probable", "possible"])
@pytest.mark.parametrize("size", ["large", "some", "small", "not-stated"])
@pytest.mark.parametrize("asserts", ["increase", "no-difference"])
def test_worse_evidence_never_earns_a_milder_verdict(tmp_path, wording, size, asserts):
    strict = ["supported", "overstated", "insufficient"]
    claim = worded(wording, size).replace("asserts: increase", f"asserts: {asserts}")

    verdicts = [
        ranged(tmp_path, claim, 0.9, 6, level).verdict for level in ("high", "moderate", "low", "very-low")
    ]

    assert [strict.index(word) for word in verdicts] == sorted(strict.index(word) for word in verdicts)


def test_equal_lines_that_disagree_are_insufficient(tmp_path):
    other = ledgers.STUDY.replace("smith-2001", "other-2002")
    line = "  - {study: other-2002, direction: contradicts, directness: direct}\n"
    changes = {"evidence/studies/other-2002.yaml": other, CLAIM: ledgers.CLAIM.replace(LINE, LINE + line)}

    conclusion = me.conclude(ledgers.evidence(tmp_path, changes), "tea-keeps-awake")

    assert conclusion.verdict == "insufficient"
    assert conclusion.reasons[-1] == "its lines are equally strong and disagree"


@pytest.mark.parametrize(
    ("addition", "verdict"),
    [
        ("", "not-assessed"),
        ("search: [{where: PubMed, query: tea, on: 2026-01-31, hits: 0}]\n", "insufficient"),
    ],
)
def test_without_evidence_it_matters_whether_anybody_looked(tmp_path, addition, verdict):
    claim = ledgers.CLAIM.replace("evidence:\n" + LINE, addition)

    assert concluded(tmp_path, claim).verdict == verdict


def test_what_nothing_cited_can_be_found_for_is_unverifiable(tmp_path):
    citations = """
    citations:
      - as: "a study"
        specificity: vague
        resolution: unresolved
        search: [{where: PubMed, on: 2026-01-31, hits: 0}]
"""
    before, _, after = ledgers.CLAIM.replace("evidence:\n" + LINE, "").partition("  - {source")
    appearance = '  - source: magazine2020\n    at: "paragraph 2"' + citations
    claim = before + appearance + after.partition("\n")[2]

    assert concluded(tmp_path, claim).verdict == "unverifiable"


def citing(citation):
    """Return the claim without evidence, its source citing this."""
    claim = ledgers.CLAIM.replace("evidence:\n" + LINE, "")
    return claim.replace('words: "keeps you wide awake"}', f"citations: [{{{citation}}}]}}")


def test_a_source_that_cites_nothing_makes_no_claim_unverifiable(tmp_path):
    assert concluded(tmp_path, citing("specificity: none")).verdict == "not-assessed"


@pytest.mark.parametrize(
    ("citation", "code", "said"),
    [
        ("specificity: none, as: a study", "E211", "says that nothing is cited"),
        ("specificity: vague, as: a study", "E201", "`resolution` is missing"),
        ("specificity: vague, resolution: pending", "E201", "`as` is missing"),
    ],
)
def test_a_citation_says_that_there_is_none_or_what_it_is_and_what_became_of_it(
    tmp_path, citation, code, said
):
    evidence = ledgers.evidence(tmp_path, {CLAIM: citing(citation)})

    found = [problem for problem in evidence.problems if problem.code == code]
    assert [said in problem.message for problem in found] == [True]
    assert found[0].line == 7


def test_a_fact_is_checked_against_its_sources_whatever_their_certainty(tmp_path):
    claim = (
        worded("certain")
        .replace("asserts: increase", "asserts: fact")
        .replace("kind: benefit", "kind: history")
    )

    assert concluded(tmp_path, claim).verdict == "supported"
    assert concluded(tmp_path, claim.replace("supports", "contradicts")).verdict == "contradicted"


RARE = (
    worded("certain")
    .replace("asserts: increase", "asserts: frequency")
    .replace("kind: benefit", "kind: harm")
)
SAME = worded("certain").replace("asserts: increase", "asserts: no-difference")


def test_a_claim_that_something_is_rare_needs_more_than_a_direction(tmp_path):
    assert concluded(tmp_path, RARE, "high").verdict == "insufficient"


def ranged(tmp_path, claim, low, high, certainty="high", study=ledgers.STUDY):
    """Return the conclusion where a synthesis says what is trivial; the interval is 1.04 to 5.55."""
    overall = f"{{judgement: {certainty}, why: as judged, by: mesoevidence, on: 2026-01-31}}"
    threshold = f"threshold: {{range: [{low}, {high}]}}"
    changes = {
        CLAIM: claim.replace("study: smith-2001", "synthesis: tea-v-water"),
        STUDY: study,
        SYNTHESIS: f"{ledgers.SYNTHESIS}certainty: {{system: grade, {threshold}, overall: {overall}}}\n",
    }
    return me.conclude(ledgers.evidence(tmp_path, changes), "tea-keeps-awake")


@pytest.mark.parametrize("claim", [RARE, SAME], ids=["frequency", "no-difference"])
@pytest.mark.parametrize(
    ("low", "high", "certainty", "verdict"),
    [
        (0.9, 6, "high", "supported"),
        (0.9, 6, "moderate", "overstated"),
        (0.9, 6, "very-low", "insufficient"),
        (0.9, 1.1, "high", "insufficient"),
        (0.9, 1.01, "high", "contradicted"),
        (0.9, 1.01, "low", "overstated"),
        (0.9, 1.01, "very-low", "insufficient"),
    ],
)
def test_no_difference_and_frequency_go_by_the_interval_and_a_stated_threshold(
    tmp_path, claim, low, high, certainty, verdict
):
    assert ranged(tmp_path, claim, low, high, certainty).verdict == verdict


def test_the_place_of_the_interval_is_among_the_reasons(tmp_path):
    assert (
        "tea-v-water: the interval 1.04 to 5.55 lies inside 0.9 to 6"
        in ranged(tmp_path, SAME, 0.9, 6).reasons
    )


def test_where_nobody_had_the_event_the_rule_of_three_is_printed(tmp_path):
    none = ledgers.STUDY.replace("events: 12", "events: 0").replace("events: 5", "events: 0")
    none = none.replace("12 of 20 v 5 of 20", "0 of 20 v 0 of 20")

    conclusion = concluded(tmp_path, RARE, study=none)

    assert conclusion.verdict == "insufficient"
    assert "smith-2001: 0 events in 20 persons; up to 15 % cannot be ruled out (3/n)" in conclusion.reasons


def test_the_rule_of_three_counts_nobody_twice(tmp_path):
    none = ledgers.STUDY.replace("events: 12", "events: 0").replace("events: 5", "events: 0")
    none = none.replace("12 of 20 v 5 of 20", "0 of 20 v 0 of 20")
    again = none + none.partition("results:\n")[2].replace("id: evening", "id: night")
    both = again.replace("design: rct", "design: rct-within-person").replace("green-tea, n", "water, n")

    for study in (again, both):
        reasons = concluded(tmp_path, RARE, study=study).reasons
        assert "smith-2001: 0 events in 20 persons; up to 15 % cannot be ruled out (3/n)" in reasons


@pytest.mark.parametrize(
    ("kind", "asserts"), [("history", "asserts: fact"), ("evidence-state", "asserts: increase")]
)
def test_claims_of_which_no_certainty_is_asked_have_no_overclaim(tmp_path, kind, asserts):
    claim = (
        worded("certain", "large")
        .replace("asserts: increase", asserts)
        .replace("kind: benefit", f"kind: {kind}")
    )

    assert (concluded(tmp_path, claim).overclaim, concluded(tmp_path, claim).overclaim_size) == (None, None)


def test_a_claim_that_is_not_there_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(me.EvidenceError, match="did you mean 'tea-keeps-awake'"):
        me.conclude(ledgers.evidence(tmp_path), "tea-keeps-awak")


@pytest.mark.parametrize(
    ("wording", "certainty", "steps"),
    [("certain", "high", 0), ("certain", "low", 2), ("certain", "very-low", 3), ("possible", "low", 0)],
)
def test_the_overclaim_is_the_steps_of_wording_beyond_what_is_allowed(tmp_path, wording, certainty, steps):
    assert concluded(tmp_path, worded(wording), certainty).overclaim == steps


def test_a_verdict_milder_than_the_rule_is_an_error_at_its_line_and_a_stricter_one_is_not(tmp_path):
    mild = ledgers.evidence(
        tmp_path, {CLAIM: ledgers.CLAIM.replace("judgement: overstated", "judgement: supported")}
    )
    strict = ledgers.evidence(
        tmp_path, {CLAIM: ledgers.CLAIM.replace("judgement: overstated", "judgement: insufficient")}
    )

    assert [(p.code, p.line, p.column) for p in mild.problems] == [("E421", 10, 22)]
    assert strict.problems == ()


def test_a_change_of_one_claim_moves_no_other(tmp_path):
    other = ledgers.CLAIM.replace("tea-keeps-awake", "other-claim")
    before = me.conclude(
        ledgers.evidence(tmp_path, {"evidence/claims/other-claim.yaml": other}), "other-claim"
    )
    changes = {"evidence/claims/other-claim.yaml": other, CLAIM: worded("possible", direction="contradicts")}

    assert me.conclude(ledgers.evidence(tmp_path, changes), "other-claim") == before
