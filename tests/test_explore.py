"""The window on the evidence: filters keep what they say; card and charts are those of the claim."""

import pytest

import mesoevidence as me


@pytest.fixture(scope="module")
def evidence():
    return me.load()


@pytest.fixture
def window(evidence):
    _, filters, found, claims, card, charts = me.explore(evidence).children
    return filters.children, found, claims, card, charts


def test_without_a_filter_every_claim_is_there(window, evidence):
    _, found, claims, card, _ = window

    assert found.value == f"{len(evidence.claims)} claims"
    assert [value for _, value in claims.options] == list(evidence.claims)
    assert card.value.startswith("<table>")


def test_filters_keep_the_claims_that_meet_all_of_them(window, evidence):
    (topic, design, verdict), _, claims, _, _ = window
    topic.value, verdict.value, design.value = "skin-dryness", "insufficient", "rct-within-person"
    part = evidence.select(topic="skin-dryness", design="rct-within-person").claims.values()
    expected = [claim.id for claim in part if claim.verdict and claim.verdict.judgement == "insufficient"]

    assert [value for _, value in claims.options] == expected != []


def test_a_claim_is_shown_with_its_verdict_and_the_charts_of_what_it_rests_on(window, evidence):
    _, _, claims, card, charts = window
    claim = next(claim for claim in evidence.claims.values() if any(
        line.synthesis == "meso-v-saline-response" for line in claim.evidence))  # fmt: skip
    claims.value = claim.id

    assert claim.verdict.judgement in card.value
    assert "Forest plot of 4 studies" in charts.value
    assert "<script" not in card.value + charts.value


def test_when_nothing_is_left_nothing_is_shown(window):
    (topic, design, _), found, _, card, charts = window
    topic.value, design.value = "mesotherapy", "rct-within-person"

    assert found.value == "0 claims"
    assert card.value == charts.value == ""


def test_the_window_says_what_it_is_not(evidence):
    assert me.NOTICE in me.explore(evidence).children[0].value
