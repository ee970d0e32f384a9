"""Effect sizes are metafor's, and a row that cannot be computed says why."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import mesoevidence as me
from mesoevidence import formulas
from mesoevidence.measures import MEASURES, effect_sizes

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "effects.json").read_text(encoding="utf-8"))["cases"]


def title(case):
    options = " ".join(f"{name}={value}" for name, value in dict(case["options"]).items())
    return f"{case['source']} {case['measure']} {options}".strip()


@pytest.mark.parametrize("case", CASES, ids=title)
def test_effect_sizes_and_variances_are_those_of_metafor(case):
    frame = pd.DataFrame(case["columns"], dtype=float)
    ours = effect_sizes(frame, case["measure"], **dict(case["options"]))
    without_variance = np.isnan(np.array(case["vi"], dtype=float))
    for name in ("yi", "vi"):
        theirs = np.where(without_variance, np.nan, np.array(case[name], dtype=float))
        np.testing.assert_allclose(ours[name].to_numpy(), theirs, rtol=1e-10, atol=1e-14)


def test_a_row_without_an_effect_stays_and_says_why():
    trials = pd.DataFrame(
        {"ai": [5, None, 11, 0], "n1i": [10, 10, 10, 10], "ci": [2, 2, 2, 0], "n2i": [10] * 4}
    )
    ours = effect_sizes(trials, "OR", drop00=True)
    assert len(ours) == 4
    assert ours["yi"].notna().tolist() == [True, False, False, False]
    assert ours["note"].tolist()[1:] == [
        "`ai` is missing",
        "a count is negative, or larger than its group",
        "left out: the outcome is the same for everybody in both arms",
    ]


def test_a_correction_of_zero_cells_is_marked():
    ours = effect_sizes(pd.DataFrame({"ai": [0, 3], "n1i": [9, 9], "ci": [4, 4], "n2i": [9, 9]}), "RR")
    assert ours["note"].tolist()[0] == "added 0.5 to every count of this study"
    assert pd.isna(ours["note"].tolist()[1])


@pytest.mark.parametrize(
    ("measure", "options", "words"),
    [
        ("SDM", {}, "SMD"),
        ("MD", {"vtype": "revman"}, "has no variance"),
        ("RR", {"to": "some"}, "only0"),
        ("SMD", {}, "column `m1i`"),
    ],
)
def test_a_request_that_cannot_be_met_says_what_to_ask(measure, options, words):
    with pytest.raises(me.EvidenceError, match=words):
        effect_sizes(pd.DataFrame({"ai": [1], "bi": [2], "ci": [3], "di": [4]}), measure, **options)


@pytest.mark.parametrize("add", [-1, math.nan, "half"])
def test_a_correction_that_is_no_number_of_zero_or_more_is_refused(add):
    with pytest.raises(me.EvidenceError, match="`add` is a number, 0 or more"):
        effect_sizes(pd.DataFrame({"ai": [0], "bi": [2], "ci": [3], "di": [4]}), "RR", add=add)


def test_a_column_of_words_is_refused():
    frame = pd.DataFrame({"ri": ["high"], "ni": [10]})
    with pytest.raises(me.EvidenceError, match="`ri` holds something that is not a number"):
        effect_sizes(frame, "COR")


def test_generic_effects_take_their_variance_from_whatever_is_printed():
    half = 1.959963984540054 * 0.5
    frame = pd.DataFrame(
        {
            "yi": [1.0, 1.0, 1.0, 1.0],
            "vi": [0.25, None, None, None],
            "sei": [None, 0.5, None, None],
            "ci_low": [None, None, 1 - half, None],
            "ci_high": [None, None, 1 + half, None],
            "p": [None, None, None, 0.045500263896358],
        }
    )
    assert effect_sizes(frame, "GEN")["vi"].to_numpy() == pytest.approx([0.25] * 4, rel=1e-9)


def test_the_cochrane_formula_is_its_own_variance_of_a_standardised_difference():
    frame = pd.DataFrame(
        {"m1i": [12.0], "sd1i": [4.0], "n1i": [20], "m2i": [10.0], "sd2i": [4.0], "n2i": [20]}
    )
    ours = effect_sizes(frame, "SMD", vtype="revman").iloc[0]
    g = 0.5 * (1 - 3 / (4 * 40 - 9))
    assert ours["yi"] == pytest.approx(g, rel=1e-12)
    assert ours["vi"] == pytest.approx(40 / 400 + g**2 / (2 * (40 - 3.94)), rel=1e-12)


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_every_measure_knows_how_it_is_shown(name):
    measure = MEASURES[name]
    assert math.isfinite(measure.shown(0.0))
    assert not measure.is_ratio or measure.shown(0.0) == measure.null == 1


ugly = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)


@given(st.sampled_from(sorted(MEASURES)), st.data())
def test_ugly_numbers_give_a_finite_effect_or_an_empty_one_with_a_reason(name, data):
    columns = formulas.COLUMNS[MEASURES[name].shape]
    frame = pd.DataFrame({column: [data.draw(ugly)] for column in columns})
    row = effect_sizes(frame, name).iloc[0]
    if pd.isna(row["yi"]):
        assert pd.isna(row["vi"])
        assert row["note"]
    else:
        assert math.isfinite(row["yi"])
        assert 0 <= row["vi"] < math.inf


def test_a_study_left_out_is_no_reason_to_correct_the_others():
    """As metafor 3.8 with to="if0all" and drop00=TRUE."""
    trials = pd.DataFrame({"ai": [0, 4], "n1i": [20, 20], "ci": [0, 6], "n2i": [20, 20]})
    ours = effect_sizes(trials, "RR", to="if0all", drop00=True)

    assert ours["yi"].tolist()[1] == pytest.approx(math.log(4 / 6), rel=1e-12)
    assert ours["note"].isna().tolist() == [False, True]
