"""Regression on moderators, subgroups, results within studies: metafor's numbers, and what always holds."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from mesoevidence.multilevel import cluster_robust, two_level
from mesoevidence.problems import EvidenceError
from mesoevidence.regression import meta_regression, subgroups

GOLDEN = Path(__file__).parent / "golden"


def golden(name):
    content = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    return content, {key: pd.DataFrame(columns) for key, columns in content["data"].items()}


REGRESSION, FRAMES = golden("regression.json")
MULTILEVEL, NESTED = golden("multilevel.json")
DATASETS = sorted({case["data"] for case in REGRESSION["fits"]})


def close(found, expected, relative=1e-8, absolute=1e-9):
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), np.asarray(expected, dtype=float), rtol=relative, atol=absolute
    )


# Meta-regression ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DATASETS)
def test_meta_regression_gives_metafors_numbers(name):
    cases = [case for case in REGRESSION["fits"] if case["data"] == name]
    for case in cases:
        fit = meta_regression(FRAMES[name], case["moderators"], method=case["method"], test=case["test"])
        found = fit.coefficients
        for field in ("estimate", "se", "statistic", "p_value"):
            close(getattr(found, field), case[field])
        close(found.ci, np.column_stack([case["ci_low"], case["ci_high"]]))
        close([found.qm, found.qm_p_value], [case["qm"], case["qm_p_value"]])
        close([fit.qe, fit.qe_p_value, fit.tau2], [case["qe"], case["qe_p_value"], case["tau2"]])
        close([fit.i2, fit.h2], [case["i2"], case["h2"]])
        assert fit.k == case["k"]
        if fit.r2 is not None:
            close(fit.r2, case["r2"])
        else:  # metafor says 0 where there is no heterogeneity to explain
            assert case["r2"] == 0


def test_predictions_are_metafors():
    cases = [case for case in REGRESSION["fits"] if "predict" in case]
    assert len(cases) > 100
    for case in cases:
        fit = meta_regression(
            FRAMES[case["data"]], case["moderators"], method=case["method"], test=case["test"]
        )
        expected = pd.DataFrame(case["predict"]).drop(columns="rows")
        close(fit.predict().iloc[case["predict"]["rows"]][list(expected)], expected)


def test_a_prediction_for_new_moderators_needs_their_columns_and_known_words():
    fit = meta_regression(FRAMES["bcg"], ["ablat", "alloc"])

    near = fit.predict(pd.DataFrame({"ablat": [10, 50], "alloc": ["random", "random"]}))

    assert near["estimate"][1] < near["estimate"][0]
    with pytest.raises(EvidenceError, match="no column `alloc`"):
        fit.predict(pd.DataFrame({"ablat": [10]}))
    with pytest.raises(EvidenceError, match="`alloc` has no level 'dice'; it has alternate, random"):
        fit.predict(pd.DataFrame({"ablat": [10], "alloc": ["dice"]}))


def test_words_are_compared_with_the_first_level_a_category_names():
    ordered = pd.CategoricalDtype(["random", "alternate", "systematic"])
    frame = FRAMES["bcg"].assign(alloc=FRAMES["bcg"]["alloc"].astype(ordered))

    assert meta_regression(frame, "alloc").coefficients.terms == (
        "intercept",
        "alloc: alternate",
        "alloc: systematic",
    )


def test_studies_with_an_empty_moderator_are_left_out_and_said():
    fit = meta_regression(FRAMES["bangertdrowns"], ["length", "wic"])

    assert fit.k < len(FRAMES["bangertdrowns"])
    assert fit.warnings == (f"{48 - fit.k} of 48 studies have an empty cell and are left out",)


@pytest.mark.parametrize(
    ("moderators", "options", "message"),
    [
        (["dose"], {}, "there is no column `dose`"),
        (["ablat", "ablat2"], {}, "repeat each other or do not vary"),
        (["constant"], {}, "repeat each other or do not vary"),
        (["ablat"], {"method": "XX"}, "`method` is one of EE, DL"),
        (["ablat"], {"level": 95}, "`level` lies between 0 and 1"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_a_sentence(moderators, options, message):
    frame = FRAMES["bcg"].assign(ablat2=FRAMES["bcg"]["ablat"] * 2, constant=1)

    with pytest.raises(EvidenceError, match=message):
        meta_regression(frame, moderators, **options)


def test_too_few_studies_and_wrong_variances_are_refused():
    with pytest.raises(EvidenceError, match="2 coefficients need at least 3 complete studies, there are 2"):
        meta_regression(FRAMES["bcg"].head(2), "ablat")
    with pytest.raises(EvidenceError, match="every variance above 0"):
        meta_regression(FRAMES["bcg"].assign(vi=0.0), "ablat")
    with pytest.raises(EvidenceError, match="lie exactly on the fit"):
        meta_regression(pd.DataFrame({"yi": [1.0, 2, 3], "vi": [0.1] * 3, "x": [1, 2, 3]}), "x")


@st.composite
def studies(draw):
    k = draw(st.integers(5, 12))
    number = st.floats(-3, 3).map(lambda x: round(x, 3))
    frame = pd.DataFrame(
        {
            "yi": draw(st.lists(number, min_size=k, max_size=k)),
            "vi": draw(st.lists(st.floats(0.01, 2), min_size=k, max_size=k)),
            "x": draw(st.lists(number, min_size=k, max_size=k, unique=True)),
        }
    )
    return frame, draw(st.permutations(range(k)))


@settings(deadline=None, max_examples=60)
@given(studies(), st.sampled_from(["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"]))
def test_order_never_matters_and_shifts_and_scales_pass_through(drawn, method):
    frame, order = drawn
    fit = meta_regression(frame, "x", method=method, test="z")

    shuffled = meta_regression(frame.iloc[list(order)], "x", method=method, test="z")
    moved = meta_regression(
        frame.assign(yi=5 + 3 * frame["yi"], vi=9 * frame["vi"]), "x", method=method, test="z"
    )

    assert fit.tau2 >= 0
    close(shuffled.coefficients.estimate, fit.coefficients.estimate, 1e-6, 1e-7)
    close(
        moved.coefficients.estimate - np.array([5, 0]),
        3 * fit.coefficients.estimate,
        relative=1e-6,
        absolute=1e-6,
    )
    close(moved.coefficients.se, 3 * fit.coefficients.se, relative=1e-6)


def test_no_residual_heterogeneity_is_preferred_where_it_is_likelier_than_a_second_maximum():
    """metafor 3.8 gives 0; scoring from above would end at a maximum near 1.4 that is less likely."""
    vi = [1.00888156, 1.96378551, 0.00615768, 0.60869184, 0.05206147, 0.00771445, 0.02107415, 0.24878976]
    frame = pd.DataFrame(
        {
            "yi": [-4.985858, -1.464072, 0.307225, 0.660712, 0.238202, 0.169603, -0.076297, 0.700929],
            "vi": vi,
            "x": [1.464, -0.919, 1.119, -0.152, 0.256, 0.216, -1.834, -1.262],
        }
    )

    assert meta_regression(frame, "x", method="ML", test="z").tau2 == 0


# Subgroups ---------------------------------------------------------------------------------------


def test_subgroups_give_metafors_numbers_with_tau2_apart_and_in_common():
    for case in REGRESSION["subgroups"]:
        frame = FRAMES[case["data"]]
        apart = subgroups(frame, case["by"], method=case["method"], test="knha")
        close(apart.table["estimate"], case["estimate"])
        close(apart.table["se"], case["se"])
        close(apart.table["tau2"], case["tau2"])
        close([apart.q, apart.q_p_value], [case["q"], case["p_value"]])
        common = subgroups(frame, case["by"], tau2="common", method=case["method"], test="z")
        close(common.table["estimate"], case["common_estimate"])
        close(common.table["se"], case["common_se"])
        close([common.q, common.q_p_value], [case["common_q"], case["common_p_value"]])
        close(common.table["tau2"].unique(), [case["common_tau2"]])


def test_one_subgroup_is_nothing_to_compare():
    with pytest.raises(EvidenceError, match="has one value only"):
        subgroups(FRAMES["bcg"].assign(one="x"), "one")


# Results within studies --------------------------------------------------------------------------


def test_the_two_level_model_gives_metafors_numbers():
    for case in MULTILEVEL["fits"]:
        fit = two_level(
            NESTED[case["data"]], "cluster", case["moderators"], method=case["method"], test=case["test"]
        )
        found = fit.coefficients
        for field in ("estimate", "se", "statistic", "p_value"):
            close(getattr(found, field), case[field], relative=2e-6)
        close(
            [fit.tau2_between, fit.tau2_within],
            [case["sigma2_between"], case["sigma2_within"]],
            relative=2e-6,
        )
        close([fit.qe, fit.qe_p_value], [case["qe"], case["qe_p_value"]])
        if found.qm is not None:
            close([found.qm, found.qm_p_value], [case["qm"], case["qm_p_value"]], relative=2e-6)


def test_no_likelihood_that_metafor_finds_is_higher():
    for case in MULTILEVEL["fits"]:
        fit = two_level(NESTED[case["data"]], "cluster", case["moderators"], method=case["method"])
        assert fit.log_likelihood >= case["log_likelihood"] - 1e-9


def test_cluster_robust_errors_are_those_of_metafor_and_clubsandwich():
    kinds = set()
    for case in MULTILEVEL["robust"]:
        frame = NESTED[case["data"]]
        nested = case["model"] == "two-level"
        if nested:
            fit = two_level(frame, "cluster", case["moderators"])
        else:
            fit = meta_regression(frame, case["moderators"], method=case["method"], test="z")
        cluster = None if nested else frame.get("cluster", pd.Series(range(len(frame))))
        found = cluster_robust(fit, cluster, kind=case["kind"])
        precise = 2e-6 if nested else 1e-8
        close(found.estimate, case["estimate"], relative=precise)
        close(found.se, case["se"], relative=precise)
        close(found.p_value, case["p_value"], relative=precise)
        close(np.broadcast_to(found.df, len(case["df"])), case["df"], relative=precise)
        if "ci_low" in case:
            close(found.ci, np.column_stack([case["ci_low"], case["ci_high"]]))
        if case.get("qm") is not None:
            close([found.qm, found.qm_p_value], [case["qm"], case["qm_p_value"]])
        kinds.add((case["model"], case["kind"]))
    assert len(kinds) == 6


def test_clusters_must_be_named_and_enough():
    fit = meta_regression(FRAMES["bcg"], "ablat")

    with pytest.raises(EvidenceError, match="`cluster` is a column or a sequence"):
        cluster_robust(fit)
    with pytest.raises(EvidenceError, match="a cluster for each of the 13 results"):
        cluster_robust(fit, ["a"])
    with pytest.raises(EvidenceError, match="at least 3 clusters, there are 2"):
        cluster_robust(fit, ["a"] * 6 + ["b"] * 7)
    with pytest.raises(EvidenceError, match="at least two studies, one of them with several results"):
        two_level(FRAMES["bcg"].assign(study=range(13)), "study")


def test_every_result_shows_itself_in_a_line_in_words_and_as_a_frame():
    nested = NESTED["konstantopoulos"]
    fits = [
        meta_regression(FRAMES["bcg"], "ablat"),
        subgroups(FRAMES["bcg"], "alloc"),
        subgroups(FRAMES["bcg"], "alloc", tau2="common"),
        two_level(nested, "cluster"),
        cluster_robust(two_level(nested, "cluster")),
    ]
    for fit in fits:
        assert "\n" not in repr(fit)
        assert fit.summary()
        assert len(fit.to_frame())
