"""Sensitivity to single studies and asymmetry of the funnel: metafor's numbers, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mesoevidence.asymmetry import rank_test, regression_test, trim_and_fill
from mesoevidence.diagnostics import cumulative, influence, leave_one_out
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.regression import meta_regression

GOLDEN, PRINTED = (
    json.loads((Path(__file__).parent / "golden" / name).read_text(encoding="utf-8"))
    for name in ("diagnostics.json", "printed.json")
)
FRAMES = {key: pd.DataFrame(columns) for key, columns in GOLDEN["data"].items()}
BCG = FRAMES["bcg"].assign(slab=[f"trial {number}" for number in range(1, 14)])


def close(found, expected, relative=1e-8, absolute=1e-9):
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), np.asarray(expected, dtype=float), rtol=relative, atol=absolute
    )


@pytest.mark.parametrize(("name", "repool"), [("leave_one_out", leave_one_out), ("cumulative", cumulative)])
def test_pooling_again_gives_metafors_numbers(name, repool):
    for case in GOLDEN[name]:
        table = repool(FRAMES[case["data"]], method=case["method"], test=case["test"]).table
        first = 1 if name == "cumulative" else 0  # one study: metafor tests by its own rule, see below
        for column in ("estimate", "se", "p_value", "ci_low", "ci_high", "q", "tau2", "i2"):
            if case.get(column):
                close(table[column].astype(float)[first:], case[column][first:])


def test_leaving_out_names_the_study_and_follows_how_it_was_pooled():
    pooled = pool(BCG, method="DL", test="z")

    left = leave_one_out(pooled)

    assert left.table["slab"].to_list() == BCG["slab"].to_list()
    assert (left.method, left.test, left.level) == ("DL", "z", 0.95)
    alone = pool(BCG.drop(index=4), method="DL", test="z")
    assert left.table["estimate"][4] == alone.estimate
    assert left.table["k"].eq(12).all()


def test_studies_accumulate_in_the_order_of_a_column():
    table = cumulative(BCG, "year").table

    assert table["slab"][0] == BCG.sort_values("year", kind="stable")["slab"].iloc[0]
    assert table["k"].to_list() == list(range(1, 14))
    assert table["estimate"].iloc[-1] == pytest.approx(pool(BCG).estimate, rel=1e-12)


def test_influence_gives_metafors_numbers():
    for case in GOLDEN["influence"]:
        table = influence(
            FRAMES[case["data"]], case["moderators"], method=case["method"], test=case["test"]
        ).table
        for column in ("rstudent", "dffits", "cook", "cov_ratio", "tau2", "q", "hat", "weight"):
            close(table[column], case[column])
        close(table.filter(like="dfbetas"), case["dfbetas"])
        assert table["influential"].to_list() == case["influential"]


def test_a_study_without_which_nothing_can_be_fitted_has_empty_cells():
    frame = BCG.assign(odd=[1, *[0] * 12])

    table = influence(meta_regression(frame, "odd", test="z")).table

    assert table.loc[0, ["rstudent", "cook", "tau2"]].isna().all()
    assert table.loc[1:, ["rstudent", "cook", "tau2"]].notna().all(axis=None)


def test_eggers_test_and_its_variants_give_metafors_numbers():
    for case in GOLDEN["egger"]:
        found = regression_test(
            FRAMES[case["data"]],
            model=case["model"],
            predictor=case["predictor"],
            method=case["method"],
            test=case["test"],
        )
        close([found.statistic, found.p_value], [case["statistic"], case["p_value"]])
        if found.limit is None:
            assert case["limit"] == []
        else:
            close([found.limit, *found.limit_ci], [case["limit"], *case["limit_ci"]])


def test_the_bcg_trials_give_the_printed_test_of_egger():
    said = PRINTED["asymmetry, Egger"]
    found = regression_test(BCG, model="lm")

    assert found.df == said["df"]
    for name in ("statistic", "p_value", "limit"):
        assert round(getattr(found, name), 4) == said[name]


def test_effects_that_are_all_the_same_have_no_asymmetry():
    """Their differences are rounding noise, which must not be ranked or regressed."""
    same = pd.DataFrame({"yi": [20.21] * 5, "vi": [0.1, 0.2, 0.3, 0.05, 0.07]})

    assert trim_and_fill(same).missing == 0
    for ask in (rank_test, regression_test, lambda frame: regression_test(frame, model="lm")):
        with pytest.raises(EvidenceError, match=r"lie exactly on|agree or are equally precise"):
            ask(same)


def test_the_rank_test_gives_metafors_numbers_with_and_without_ties():
    exact = set()
    for case in GOLDEN["ranks"]:
        found = rank_test(FRAMES[case["data"]])
        close([found.tau, found.p_value], [case["tau"], case["p_value"]])
        exact.add(found.exact)
    assert exact == {True, False}


def test_trim_and_fill_gives_metafors_numbers():
    for case in GOLDEN["trims"]:
        found = trim_and_fill(
            FRAMES[case["data"]],
            side=None if case["asked"] == "auto" else case["asked"],
            estimator=case["estimator"],
            method=case["method"],
            test="z",
        )
        assert (found.side, found.missing) == (case["side"], case["missing"])
        if found.missing_se is None:  # metafor has NaN
            assert case["missing_se"] is None or np.isnan(float(case["missing_se"]))
        else:
            close(found.missing_se, case["missing_se"])
        close([found.pooled.estimate, found.pooled.se], [case["estimate"], case["se"]])
        close(found.pooled.ci, case["ci"])
        close(np.sort(found.filled["yi"]), np.sort(case["filled"]))
        if found.p_value is not None:
            close(found.p_value, case["p_value"])


def test_what_was_filled_in_is_told_apart_from_what_was_seen():
    found = trim_and_fill(BCG, side="right")

    frame = found.to_frame()

    assert frame["filled"].sum() == found.missing > 0
    assert not frame["filled"][:13].any()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: leave_one_out(BCG.head(1)), "there must be at least two"),
        (lambda: cumulative(BCG, "month"), "there is no column `month`"),
        (lambda: regression_test(BCG.drop(columns="ni"), predictor="ni"), "there is no column `ni`"),
        (lambda: regression_test(BCG, predictor="size"), "`predictor` one of sei, vi"),
        (lambda: regression_test(BCG.assign(vi=0.1)), "do not vary"),
        (lambda: rank_test(BCG.head(2)), "at least three studies, there are 2"),
        (lambda: rank_test(BCG.assign(vi=0.1)), "agree or are equally precise"),
        (lambda: trim_and_fill(BCG, side="up"), "`side` is left or right"),
        (lambda: trim_and_fill(BCG.head(2)), "at least three studies"),
        (lambda: leave_one_out(BCG, method="MH"), "`method` is one of"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(ask, message):
    with pytest.raises(EvidenceError, match=message):
        ask()


def test_every_result_shows_itself_in_a_line_in_words_and_as_a_frame():
    results = [
        leave_one_out(BCG),
        cumulative(BCG, "year"),
        influence(BCG, "ablat"),
        regression_test(BCG),
        rank_test(BCG),
        trim_and_fill(BCG),
    ]
    for result in results:
        assert "\n" not in repr(result)
        assert result.summary()
        assert len(result.to_frame())
