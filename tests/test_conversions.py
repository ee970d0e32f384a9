"""What stands between print and effect size: R's numbers and printed ones, and what cannot be is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import mesoevidence as me
from mesoevidence import conversions, formulas
from mesoevidence.conversions import Group

GOLDEN = Path(__file__).parent / "golden"
R = json.loads((GOLDEN / "conversions.json").read_text(encoding="utf-8"))
PRINTED = json.loads((GOLDEN / "printed.json").read_text(encoding="utf-8"))
T = R["t_tests"]


def test_a_user_reaches_the_conversions_by_one_name():
    assert me.conversions is conversions
    assert "conversions" in dir(me)


def test_a_standard_deviation_comes_back_from_whatever_rs_t_tests_print_of_it():
    n1, n2 = T["n1"], T["n2"]

    assert conversions.sd_from_se(T["se"], n1) == pytest.approx(T["sd"], rel=1e-12)
    assert conversions.sd_from_ci(*T["mean_ci"], n1) == pytest.approx(T["sd"], rel=1e-12)
    assert conversions.sd_from_t(T["difference"], T["t"], n1, n2) == pytest.approx(T["common_sd"], rel=1e-12)
    assert conversions.sd_from_p(T["difference"], T["p"], n1, n2) == pytest.approx(T["common_sd"], rel=1e-12)
    assert conversions.sd_from_difference_ci(*T["ci"], n1, n2) == pytest.approx(T["common_sd"], rel=1e-12)


def test_combined_arms_are_one_group_of_all_their_people():
    arms = [Group(*arm) for arm in T["arms"]]

    assert conversions.combine_arms(arms) == pytest.approx(tuple(T["all"].values()), rel=1e-12)
    assert conversions.combine_arms(arms[::-1]) == pytest.approx(tuple(T["all"].values()), rel=1e-12)


def test_the_worked_examples_come_out_as_printed():
    arms = PRINTED["combined arms"]
    n, mean, sd = conversions.combine_arms([Group(*arm) for arm in arms["arms"]])
    assert [n, round(mean, 4), round(sd, 4)] == arms["combined"]
    p = PRINTED["standard deviation from p"]
    error = p["se"] / np.sqrt(1 / p["n1"] + 1 / p["n2"])
    assert conversions.sd_from_p(p["difference"], p["p"], p["n1"], p["n2"]) == pytest.approx(error, rel=3e-3)
    assert conversions.sd_from_t(p["difference"], p["t"], p["n1"], p["n2"]) == pytest.approx(error, rel=3e-3)


def test_mean_and_spread_from_medians_are_those_of_the_equations_of_luo_and_wan():
    frame = pd.DataFrame(R["summaries"], dtype=float)
    ranges, quartiles = frame[frame["q1"].isna()], frame[frame["low"].isna()]
    five = frame[frame[["low", "q1"]].notna().all(axis=1)]

    for rows, convert, columns in (
        (ranges, conversions.mean_sd_from_range, ["n", "low", "median", "high"]),
        (quartiles, conversions.mean_sd_from_quartiles, ["n", "q1", "median", "q3"]),
        (five, conversions.mean_sd_from_five, ["n", "low", "q1", "median", "q3", "high"]),
    ):
        found = convert(*(rows[column] for column in columns))
        np.testing.assert_allclose(found.mean, rows["mean"], rtol=1e-12)
        np.testing.assert_allclose(found.sd, rows["sd"], rtol=1e-12)
        alone = convert(*rows[columns].iloc[0])
        assert alone == (found.n[0], found.mean[0], found.sd[0])


def test_a_standardised_difference_becomes_metafors_log_odds_ratio():
    case = R["smd_to_or"]

    log_or, variance = conversions.smd_to_log_or(case["d"], case["vd"])

    np.testing.assert_allclose(log_or, case["yi"], rtol=1e-12)
    np.testing.assert_allclose(variance, case["vi"], rtol=1e-12)


def test_an_odds_ratio_becomes_metafors_risk_ratio_at_a_baseline():
    case = R["or_to_rr"]

    np.testing.assert_allclose(
        conversions.or_to_rr(case["odds_ratio"], case["baseline_risk"]), case["risk_ratio"], rtol=1e-12
    )


def test_a_measure_is_shown_as_metafor_transforms_it_back():
    case = R["shown"]
    for measure, values in case["values"].items():
        at = case["at_angles"] if measure == "PAS" else case["at"]
        assert [me.MEASURES[measure].shown(value) for value in at] == pytest.approx(values, rel=1e-12)


def test_an_angle_of_freeman_and_tukey_is_read_as_metafors_proportion():
    case = R["freeman_tukey"]
    ours = list(map(formulas.proportion_of_angle, case["angle"], case["people"]))
    assert ours == pytest.approx(case["proportion"], rel=1e-12)

    counted = pd.DataFrame({"xi": case["xi"], "ni": case["ni"]})
    pooled = me.pool(counted, measure="PFT", method="DL", test="z")
    assert pooled.shown == pytest.approx(case["shown"], rel=1e-9)
    low, high = case["prediction"]
    assert f"a further study: {low:.2f} to {high:.2f}" in pooled.summary()


def test_clusters_of_people_who_are_all_alike_are_worth_one_person_each():
    assert conversions.effective_n(500, 10, 1) == pytest.approx(50)
    assert conversions.effective_n(500, 10, 0) == 500
    assert conversions.effective_n(500, 1, 0.3) == 500


REFUSED = {
    "a negative standard error": lambda: conversions.sd_from_se(-0.5, 20),
    "nobody": lambda: conversions.sd_from_se(0.5, 0),
    "an interval upside down": lambda: conversions.sd_from_ci(34.2, 30.0, 25),
    "an interval of no width": lambda: conversions.sd_from_ci(30.0, 30.0, 25),
    "one person with an interval": lambda: conversions.sd_from_ci(30.0, 34.2, 1),
    "a level in percent": lambda: conversions.sd_from_ci(30.0, 34.2, 25, level=95),
    "t of 0": lambda: conversions.sd_from_t(3.8, 0.0, 25, 22),
    "p of 1": lambda: conversions.sd_from_p(3.8, 1.0, 25, 22),
    "p in percent": lambda: conversions.sd_from_p(3.8, 5, 25, 22),
    "quartiles out of order": lambda: conversions.mean_sd_from_quartiles(50, 7.0, 4.0, 14.0),
    "a median beyond the range": lambda: conversions.mean_sd_from_range(50, 2.0, 30.0, 20.0),
    "a range below its quartiles": lambda: conversions.mean_sd_from_five(50, 8.0, 7.0, 10.0, 14.0, 20.0),
    "no arms": lambda: conversions.combine_arms([]),
    "a negative standard deviation": lambda: conversions.combine_arms([Group(5, 1.0, -1.0)]),
    "a baseline risk in percent": lambda: conversions.or_to_rr(2.0, 20),
    "an odds ratio below 0": lambda: conversions.or_to_rr(-2.0, 0.2),
    "a correlation above 1": lambda: conversions.effective_n(500, 10, 2),
    "a negative variance": lambda: conversions.smd_to_log_or(0.5, -0.1),
}


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(ask):
    with pytest.raises(me.EvidenceError, match=r"must be|must rise|no arms"):
        ask()


def test_one_wrong_row_is_named_and_a_missing_one_stays_missing():
    with pytest.raises(me.EvidenceError, match="`se` must be finite and above 0"):
        conversions.sd_from_se([0.5, -1.0], [20, 20])

    assert np.isnan(conversions.sd_from_se([0.5, np.nan], [16, 20])).tolist() == [False, True]


number = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)


@given(number, number, number, number)
def test_ugly_numbers_give_a_spread_that_is_no_negative_number_or_are_refused(a, b, c, d):
    for convert in (
        conversions.sd_from_t, conversions.sd_from_p, conversions.sd_from_difference_ci,
        lambda *given: conversions.mean_sd_from_range(*given).sd,
        lambda *given: conversions.mean_sd_from_quartiles(*given).sd,
    ):  # fmt: skip
        try:
            with np.errstate(all="ignore"):
                found = convert(a, b, c, d)
        except me.EvidenceError:
            continue
        assert not found < 0
