"""Whatever floats a frame holds, every statistic is finite or refused in a sentence."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import mesoevidence as me
from mesoevidence.heterogeneity import METHODS
from mesoevidence.pooling import TESTS

UGLY = [0.0, -0.0, 1e300, -1e300, 1e-300, 5e-324, math.inf, -math.inf, math.nan, 1e50, 1e-50, 1.0, 1e15]
ugly = st.one_of(
    st.sampled_from(UGLY),
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True),
    st.builds(lambda sign, power: sign * 10.0**power, st.sampled_from([1, -1]), st.floats(-50, 50)),
    st.floats(-3, 3),
)
tame = st.builds(lambda digits, power: digits * 10.0**power, st.floats(0.1, 3), st.integers(-4, 4))
rows = st.one_of(
    st.lists(st.tuples(ugly, ugly, ugly, st.sampled_from("abc")), min_size=1, max_size=9),
    st.lists(st.tuples(st.one_of(ugly, tame), tame, tame, st.sampled_from("abc")), min_size=3, max_size=9),
)
ASKED = {
    "meta_regression": lambda frame, how: me.meta_regression(frame, "x", **how),
    "subgroups": lambda frame, how: me.subgroups(frame, "g", **how),
    "subgroups with one tau2": lambda frame, how: me.subgroups(frame, "g", tau2="common", **how),
    "leave_one_out": lambda frame, how: me.leave_one_out(frame, **how),
    "cumulative": lambda frame, how: me.cumulative(frame, "x", **how),
    "influence": lambda frame, how: me.influence(frame, **how),
    "regression_test": lambda frame, how: me.regression_test(frame, **how),
    "Egger": lambda frame, how: me.regression_test(frame, model="lm"),
    "rank_test": lambda frame, how: me.rank_test(frame),
    "trim_and_fill": lambda frame, how: me.trim_and_fill(frame, **how),
    "two_level": lambda frame, how: me.two_level(frame, "g"),
    "cluster_robust": lambda frame, how: me.cluster_robust(
        me.meta_regression(frame, "x", **how), list(frame.dropna()["g"])
    ),
}


@pytest.mark.parametrize("name", ASKED)
@settings(deadline=None, max_examples=15)
@given(rows, st.sampled_from(METHODS), st.sampled_from(TESTS))
def test_ugly_numbers_give_finite_results_or_a_sentence(name, given_rows, method, test):
    frame = pd.DataFrame(given_rows, columns=["yi", "vi", "x", "g"])
    try:
        found = ASKED[name](frame, {"method": method, "test": test})
    except me.EvidenceError as refused:
        assert str(refused)
        return
    assert found.summary()
    assert repr(found)
    numbers = found.to_frame().select_dtypes("number").to_numpy(dtype=float, na_value=np.nan)
    assert not np.isinf(numbers).any()


@pytest.mark.parametrize("name", ASKED)
def test_ordinary_numbers_are_never_refused(name):
    frame = pd.DataFrame(
        {
            "yi": [0.1, 0.9, -0.3, 0.4, 0.5, 0.7, 1.2, 0.05],
            "vi": [0.04, 0.09, 0.02, 0.03, 0.3, 0.01, 0.06, 0.05],
            "x": [1.0, 2.0, 1.5, 0.3, 4.0, 2.5, 3.0, 0.1],
            "g": list("aabbccaa"),
        }
    )

    assert ASKED[name](frame, {"method": "DL", "test": "z"}).summary()


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("yi", 1e60, "beyond 1e50"),
        ("vi", 1e-60, "below 1e-50"),
        ("x", 1e60, "beyond 1e50"),
        ("vi", 1e12, "more orders of magnitude"),
        ("yi", 1e15, "more orders of magnitude"),
    ],
)
def test_numbers_that_no_sum_can_hold_are_refused(column, value, words):
    frame = pd.DataFrame({"yi": [0.1, 0.9, 0.3, 0.2], "vi": [0.04] * 4, "x": [1.0, 2.0, 3.0, 5.0]})
    frame.loc[1, column] = value

    with pytest.raises(me.EvidenceError, match=words):
        me.meta_regression(frame, "x")


@pytest.mark.parametrize("data", [None, [0.1, 0.2], "studies", {"yi": [0.1]}], ids=repr)
@pytest.mark.parametrize("name", ASKED)
def test_what_is_no_table_of_studies_is_refused_in_a_sentence(name, data):
    if name == "cluster_robust":
        with pytest.raises(me.EvidenceError, match="give what `meta_regression` or `two_level` returns"):
            me.cluster_robust(data, "g")
    else:
        with pytest.raises(me.EvidenceError, match="give a DataFrame of studies"):
            ASKED[name](data, {})
    with pytest.raises(me.EvidenceError, match="give a DataFrame, one row a study"):
        me.effect_sizes(data, "GEN")
