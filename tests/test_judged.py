"""The shipped ledger is judged: each controlled trial, each synthesis and each claim, with its why."""

from pathlib import Path

import pytest

import mesoevidence as me
from mesoevidence import appraisal
from mesoevidence.basis import digest, inputs
from mesoevidence.vocabulary import DESIGNS

ROOT = Path(__file__).parent.parent
CONTROLLED = {"rct", "rct-cluster", "rct-crossover", "rct-within-person", "quasi-rct", "nonrandomised-trial"}
CONTROLLED |= {"nonrandomised-within-person"}
STRICT = ("supported", "overstated", "insufficient", "contradicted")


@pytest.fixture(scope="module")
def ledger():
    return me.load(ROOT).ledger


def used(ledger):
    lines = [line.study for claim in ledger.claims.values() for line in claim.evidence if line.study]
    lines += [line.study for synthesis in ledger.syntheses.values() for line in synthesis.include]
    return {name: ledger.studies[name] for name in lines}


def compares(study):
    return study.design in CONTROLLED or (study.design == "cohort" and len(study.arms) > 1)


def test_every_controlled_trial_that_bears_on_something_has_its_risk_of_bias_judged(ledger):
    trials = {name for name, study in used(ledger).items() if compares(study)}

    assert trials
    assert not [name for name in trials if not ledger.studies[name].rob]


def test_the_tool_is_that_of_the_design(ledger):
    for study in used(ledger).values():
        for rob in study.rob if compares(study) else ():
            randomised = DESIGNS[study.design].start == "high"
            assert rob.tool.startswith("rob2" if randomised else "robins-i"), study.id


def test_the_overall_risk_is_what_the_domains_give_and_never_reassures_where_nothing_was_read(ledger):
    for study in ledger.studies.values():
        for rob in study.rob:
            judged = {name: part.judgement for name, part in rob.domains.items()}
            assert rob.overall.judgement == appraisal.overall(rob.tool, judged), study.id
            assert all(part.why for part in rob.domains.values())


def test_every_synthesis_is_rated_and_signed_or_says_why_it_is_not(ledger):
    for synthesis in ledger.syntheses.values():
        record = synthesis.certainty
        assert record, synthesis.id
        signed = record.basis == digest(inputs(synthesis, ledger))
        assert record.why if record.system == "none" else signed, f"judge {synthesis.id} again, then sign it"


def test_a_review_whose_studies_were_not_seen_is_rated_only_as_its_own_authors_rate_it(ledger):
    reviews = {"systematic-review", "meta-analysis", "network-meta-analysis"}
    for synthesis in ledger.syntheses.values():
        studies = [ledger.studies[line.study] for line in synthesis.include]
        if synthesis.certainty.overall and any(study.design in reviews for study in studies):
            assert all("authors rate" in (study.note or "") for study in studies), synthesis.id


def test_every_claim_has_a_verdict_with_its_why(ledger):
    assert not [claim.id for claim in ledger.claims.values() if not (claim.verdict and claim.verdict.why)]


def test_a_verdict_stricter_than_the_rule_says_that_it_is(ledger):
    for claim in ledger.claims.values():
        by_rule = me.conclude(ledger, claim).verdict
        if by_rule in STRICT and claim.verdict.judgement != by_rule:
            assert claim.verdict.why.startswith("stricter than the rule"), claim.id
