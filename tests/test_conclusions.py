import pytest

from mesoevidence.conclusions import evidence_strength
from tests import ledgers

CLAIM = "evidence/claims/tea-keeps-awake.yaml"
STUDY = "evidence/studies/smith-2001.yaml"
SYNTHESIS = "evidence/syntheses/tea-v-water.yaml"
LINE = "  - {study: smith-2001, direction: supports, directness: direct}\n"


def strength(tmp_path, changes):
    evidence = ledgers.evidence(tmp_path, changes)
    assert not [item for item in evidence.problems if item.severity == "error"]
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


def test_an_indirect_line_carries_one_level_less(tmp_path):
    line = "  - {study: smith-2001, direction: supports, directness: indirect, gap: [population]}\n"

    assert strength(tmp_path, {CLAIM: ledgers.CLAIM.replace(LINE, line)}) == "very-low"


def test_an_expert_opinion_is_no_evidence_by_itself(tmp_path):
    assert (
        strength(tmp_path, {STUDY: ledgers.STUDY.replace("design: rct", "design: expert-opinion")}) == "none"
    )


def test_a_claim_without_a_line_has_no_evidence(tmp_path):
    assert strength(tmp_path, {CLAIM: ledgers.CLAIM.replace("evidence:\n" + LINE, "")}) == "none"


@pytest.mark.parametrize(("level", "expected"), [("moderate", "moderate"), (None, "not-graded")])
def test_a_synthesis_gives_its_certainty(tmp_path, level, expected):
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
