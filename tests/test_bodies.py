"""What a synthesis takes from its records: numbers of an arm as they were printed, or the contrast alone."""

import math

import pandas as pd
import pytest

import mesoevidence as me
from tests import ledgers

STUDY = ledgers.STUDY.partition("results:")[0]
ORIGIN = "    from: {ref: smith2001, at: abstract, method: calculated, figures: shown, how: as printed}\n"
SYNTHESIS = ledgers.SYNTHESIS.replace("outcome: awake", "outcome: reaction-time").replace("RR", "MD")


def evidence(folder, finding, synthesis=SYNTHESIS, outcome="reaction-time"):
    """Return evidence of one study with one result, pooled in one synthesis."""
    result = f"results:\n  - id: evening\n    outcome: {outcome}\n    {finding}\n{ORIGIN}"
    changes = {
        "evidence/studies/smith-2001.yaml": STUDY + result,
        "evidence/syntheses/tea-v-water.yaml": synthesis,
    }
    return ledgers.evidence(folder, changes)


def pooled(folder, finding, synthesis=SYNTHESIS, outcome="reaction-time"):
    return me.pool(evidence(folder, finding, synthesis, outcome), "tea-v-water")


def means(first, second):
    """Return what a frame of two arms gives: (n, mean, SD) of each."""
    columns = ["n1i", "m1i", "sd1i", "n2i", "m2i", "sd2i"]
    return me.pool(pd.DataFrame([[*first, *second]], columns=columns), measure="MD")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("{n: 16, mean: 300, sd: 40}", (16, 300, 40)),
        ("{n: 16, mean: 300, se: 10}", (16, 300, 40)),
        ("{n: 50, q1: 7, median: 10, q3: 14}", me.conversions.mean_sd_from_quartiles(50, 7, 10, 14)),
        ("{n: 50, min: 2, median: 10, max: 20}", me.conversions.mean_sd_from_range(50, 2, 10, 20)),
        (
            "{n: 50, min: 2, q1: 7, median: 10, q3: 14, max: 20}",
            me.conversions.mean_sd_from_five(50, 2, 7, 10, 14, 20),
        ),
    ],
)
def test_mean_and_sd_of_an_arm_come_from_what_was_printed(tmp_path, values, expected):
    found = pooled(tmp_path, f"values: {{tea: {values}, water: {{n: 20, mean: 9, sd: 3}}}}")

    assert (found.yi, found.vi) == (means(expected, (20, 9, 3)).yi, means(expected, (20, 9, 3)).vi)


@pytest.mark.parametrize("values", ["{n: 16, mean: 300}", "{mean: 300, sd: 40}", "{n: 16, median: 300}"])
def test_an_arm_without_size_or_spread_gives_no_effect(tmp_path, values):
    with pytest.raises(me.EvidenceError, match="no studies to pool"):
        pooled(tmp_path, f"values: {{tea: {values}, water: {{n: 20, mean: 9, sd: 3}}}}")


@pytest.mark.parametrize(
    ("finding", "effect", "variance"),
    [
        ("effect: {measure: MD, estimate: -12, ci: [-20, -4]}", -12, (16 / (2 * 1.959964)) ** 2),
        ("effect: {measure: MD, estimate: -12, ci: [-20, -4], level: 0.9}", -12, (16 / (2 * 1.644854)) ** 2),
        ("effect: {measure: MD, estimate: -12, se: 4}", -12, 16),
        ("paired: {mean_difference: -12, se: 4}", -12, 16),
        ("paired: {mean_difference: -12, sd: 40, n: 100}", -12, 16),
    ],
)
def test_a_contrast_alone_enters_with_its_error(tmp_path, finding, effect, variance):
    found = pooled(tmp_path, finding)

    assert found.yi == (effect,)
    assert math.isclose(found.vi[0], variance, rel_tol=1e-6)


@pytest.mark.parametrize(
    "finding",
    [
        "effect: {measure: MD, estimate: -12}",
        "effect: {measure: SMD, estimate: -12, se: 4}",
        "paired: {mean_difference: -12, sd: 40}",
        "direction: decrease",
    ],
)
def test_a_contrast_without_its_error_or_of_another_measure_gives_no_effect(tmp_path, finding):
    with pytest.raises(me.EvidenceError, match="no studies to pool"):
        pooled(tmp_path, finding)


@pytest.mark.parametrize("printed", ["1.2, ci: [0, 3]", "0, ci: [0, 3]", "1.2, ci: [-1, 3]"])
def test_a_ratio_that_no_logarithm_bears_gives_no_effect_and_no_traceback(tmp_path, printed):
    graded = (
        "certainty: {system: grade, start: {level: high, why: a trial}, risk_of_bias: {down: 0}, "
        "inconsistency: {down: 0}, indirectness: {down: 0}, imprecision: {down: 0}, publication_bias: "
        "{down: 0}, overall: {judgement: high, why: one trial, by: mesoevidence, on: 2026-01-31}}\n"
    )
    finding = f"effect: {{measure: RR, estimate: {printed}}}"
    found = evidence(tmp_path, finding, ledgers.SYNTHESIS + graded, "awake")

    assert me.rate(found, "tea-v-water").seen.shown is None
    with pytest.raises(me.EvidenceError, match="no studies to pool"):
        me.pool(found, "tea-v-water")
