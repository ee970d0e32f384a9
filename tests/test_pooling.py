"""Pooled numbers are metafor's, order never changes a bit, and what cannot be pooled is refused."""

import json
import math
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings, strategies as st

import mesoevidence as me
from mesoevidence.heterogeneity import METHODS
from mesoevidence.pooling import COLUMNS, TESTS, pool

GOLDEN = Path(__file__).parent / "golden"
DATA = json.loads((GOLDEN / "pooling.json").read_text(encoding="utf-8"))
PRINTED = json.loads((GOLDEN / "printed.json").read_text(encoding="utf-8"))
FITS = [
    (case, method, test)
    for case in DATA["sets"] + DATA["edges"]
    for method, fit in case["fits"].items()
    for test in TESTS
    if test in fit
]
BCG = pd.DataFrame(
    {
        "ai": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
        "bi": [119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886],
        "ci": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
        "di": [128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825],
    }
)


def close(ours, theirs, tolerance=1e-8, floor=1e-12):
    """Agree to eight digits; metafor stops iterating at 1e-12, and a number of that size is zero to it."""
    if theirs is None:
        return ours is None
    return ours is not None and abs(ours - theirs) <= tolerance * abs(theirs) + floor


def frame_of(case):
    return pd.DataFrame({name: np.atleast_1d(np.array(case[name], dtype=float)) for name in ("yi", "vi")})


def name_of(value):
    return value if isinstance(value, str) else f"{value['name']} {value['measure']}"


@pytest.mark.parametrize(("case", "method", "test"), FITS, ids=name_of)
def test_pooled_numbers_are_those_of_metafor(case, method, test):
    ours, fit = pool(frame_of(case), method=method, test=test), case["fits"][method]
    row = ours.row()
    names = ("estimate", "se", "ci_low", "ci_high", "p_value", "prediction_low", "prediction_high")
    theirs = dict(zip(names, fit[test], strict=True)) | {"i2": fit["i2"], "h2": fit["h2"]}
    theirs |= {"tau2": fit.get("tau2"), "q": case["q"][0], "q_p_value": case["q"][1]}
    if ours.k == 1:
        theirs |= dict.fromkeys(("tau2", "i2", "h2", "q", "q_p_value"))
    if ours.k == 1 and test != "z":
        theirs |= {name: row[name] for name in names}
    if ours.k < 3:
        theirs |= {"prediction_low": None, "prediction_high": None}
    floors = {"tau2": 2e-12 * min(1.0, np.mean(case["vi"])), "i2": 1e-8, "h2": 1e-10}
    wrong = {
        name: (row[name], number)
        for name, number in theirs.items()
        if not close(row[name], number, floor=floors.get(name, 1e-14))
    }
    assert not wrong


@pytest.mark.parametrize(
    "case", DATA["sums"], ids=lambda case: f"{case['name']} {case['method']} {case['measure']}"
)
def test_counts_pool_as_metafor_pools_them(case):
    frame = pd.DataFrame(case["columns"], dtype=float)
    ours = pool(frame, measure=case["measure"], method=case["method"])
    row = ours.row()
    names = ("estimate", "se", "ci_low", "ci_high", "p_value")
    theirs = dict(zip(names, case["fit"], strict=True)) | {"q": case["q"][0], "q_p_value": case["q"][1]}
    theirs |= {name: case[name] for name in ("q_df", "i2", "h2", "k")}
    assert not {name: (row[name], number) for name, number in theirs.items() if not close(row[name], number)}
    assert ours.weights == pytest.approx(case["weights"], rel=1e-9)
    assert ours.tau2 is None
    assert ours.prediction is None


@pytest.mark.parametrize("case", DATA["sets"] + DATA["edges"], ids=name_of)
def test_the_interval_of_tau2_and_the_weights_are_those_of_metafor(case):
    ours = pool(frame_of(case), test="z")
    assert ours.weights == pytest.approx(np.atleast_1d(case["weights"]).tolist(), rel=1e-7)
    if not case["tau2_ci"]:
        assert ours.tau2_ci is None
    elif case["tau2_ci"]["empty"]:
        assert ours.tau2_ci is None, "metafor writes 0 to 0 for an interval that holds nothing"
    elif case["name"] == "far from zero":
        near = pool(frame_of(case | {"yi": [0.1, 0.9, 0.35, -0.4]}))
        assert ours.tau2_ci == pytest.approx(near.tau2_ci, rel=1e-8), "metafor's own keeps four digits here"
    else:
        floor = 1e-9 * min(1.0, np.mean(case["vi"]))
        assert ours.tau2_ci == pytest.approx(case["tau2_ci"]["ci"], rel=1e-8, abs=floor)


def test_the_bcg_trials_give_what_is_printed_of_them():
    said = PRINTED["log risk ratio, REML, z"]
    ours = pool(BCG, measure="RR", test="z")
    for name, places in {"estimate": 4, "se": 4, "tau2": 4, "i2": 2, "h2": 2, "q": 4, "q_df": 0}.items():
        assert round(getattr(ours, name), places) == said[name]
    assert [round(end, 4) for end in ours.ci] == said["ci"]
    said = PRINTED["log odds ratio"]
    ours = pool(BCG, measure="OR")
    assert ours.tau2_ci == pytest.approx(said["tau2_ci"], abs=1e-4), (
        "printed by a search that stops at 1.2e-4"
    )
    assert [round(value, 4) for value in ours.yi[:7]] == said["yi"]
    assert [round(value, 4) for value in ours.vi[:7]] == said["vi"]


def test_a_ratio_is_shown_as_a_ratio():
    ours = pool(BCG, measure="RR", test="z")
    assert ours.shown == pytest.approx((0.4894, 0.3441, 0.6962), abs=1e-4)
    assert repr(ours) == "<Pooled RR 0.49 (95 % CI 0.34 to 0.70), p < 0.001, k = 13, REML, z>"
    assert "357347 people" in ours.summary()
    assert "risk ratio" in ours._repr_html_()


def test_markup_in_a_label_is_shown_and_not_obeyed():
    ours = pool(BCG, measure="RR")
    marked = type(ours)(**{name: getattr(ours, name) for name in ours.__slots__} | {"label": "<script>"})
    assert "<script>" not in marked._repr_html_()


def test_one_study_is_itself_with_a_z_interval_and_nothing_else():
    ours = pool(pd.DataFrame({"yi": [0.4], "vi": [0.04]}))
    assert ours.estimate == 0.4
    assert ours.ci == pytest.approx((0.4 - 1.959964 * 0.2, 0.4 + 1.959964 * 0.2), rel=1e-6)
    nothing = (
        ours.tau2,
        ours.tau2_ci,
        ours.i2,
        ours.h2,
        ours.q,
        ours.q_df,
        ours.q_p_value,
        ours.prediction,
        ours.df,
    )
    assert nothing == (None,) * 9
    assert "a single study" in ours.warnings[0]


def test_two_studies_predict_nothing():
    assert pool(pd.DataFrame({"yi": [0.4, 0.1], "vi": [0.04, 0.03]})).prediction is None


def test_few_studies_and_a_narrow_interval_carry_a_warning():
    ours = pool(pd.DataFrame({"yi": [0.4, 0.41, 0.39], "vi": [0.04, 0.04, 0.05]}))
    assert "only 3 studies" in ours.warnings[0]
    assert "narrower than Wald's" in ours.warnings[1]
    assert pool(BCG, measure="RR").warnings == ()


def test_identical_studies_have_no_hartung_knapp_interval_but_a_wald_one():
    frame = pd.DataFrame({"yi": [0.3] * 5, "vi": [0.04, 0.05, 0.06, 0.04, 0.05]})
    ours = pool(frame)
    assert (ours.estimate, ours.se, ours.ci, ours.i2, ours.tau2) == (0.3, None, None, 0.0, 0.0)
    assert "identical" in ours.warnings[0]
    assert pool(frame, test="z").se == pool(frame, test="adhoc").se > 0


def test_a_study_without_numbers_is_left_out_and_said():
    frame = pd.DataFrame({"yi": [0.4, None, 0.1, 0.2, 0.5, 0.3], "vi": [0.04] * 6})
    ours = pool(frame)
    assert ours.k == 5
    assert ours.slab == ("1", "3", "4", "5", "6")
    assert ours.warnings[0] == "1 of 6 studies could not be computed and are left out"


BASE = {"yi": [0.4, 0.1, 0.2], "vi": [0.04, 0.03, 0.02]}
REFUSED = {
    "no studies": ({"yi": [], "vi": []}, {}, "no studies to pool"),
    "only empty rows": ({"yi": [None], "vi": [0.1]}, {}, "no studies to pool"),
    "no variance": ({**BASE, "vi": [0.04, 0.0, 0.02]}, {}, "zero or negative"),
    "a negative variance": ({**BASE, "vi": [0.04, -0.1, 0.02]}, {}, "zero or negative"),
    "a negative standard error": ({"yi": [0.4, 0.1], "sei": [0.2, -0.1]}, {}, "zero or negative"),
    "an infinite effect": ({**BASE, "yi": [0.1, math.inf, 0.2]}, {}, "infinite"),
    "an absurd effect": ({**BASE, "yi": [0.1, 1e200, 0.2]}, {}, "orders of magnitude"),
    "two measures": ({**BASE, "measure": ["RR", "OR", "RR"]}, {}, "OR and RR"),
    "another measure": ({**BASE, "measure": ["RR", "RR", "RR"]}, {"measure": "OR"}, "`yi` is RR"),
    "two outcomes": ({**BASE, "outcome": ["pain", "density", "pain"]}, {}, "more than one outcome"),
    "one study twice": ({**BASE, "study": ["a", "b", "a"]}, {}, "a study stands twice"),
    "one label twice": ({**BASE, "slab": ["a", "b", "a"]}, {}, "a study stands twice"),
    "no such method": (BASE, {"method": "FE"}, "no method 'FE'"),
    "no such test": (BASE, {"test": "hksj"}, "no test 'hksj'"),
    "no such level": (BASE, {"level": 95}, "between 0 and 1"),
    "a level in words": (BASE, {"level": "high"}, "between 0 and 1"),
    "a synthesis of a frame": (BASE, {"synthesis": "hair"}, "are those of evidence"),
    "by nothing": (BASE, {"by": []}, "name the columns to pool by"),
    "no variance of an angle": ({**BASE, "vi": [0.04, 0.6, 0.02]}, {"measure": "PFT"}, "Freeman-Tukey"),
    "points in time": ({**BASE, "yi": pd.to_datetime(["2001-01-01"] * 3)}, {}, "not a number"),
    "complex numbers": ({**BASE, "yi": [1j, 2j, 3j]}, {}, "not a number"),
    "no such measure": (BASE, {"measure": "XR"}, "no measure 'XR'"),
    "no effects": ({"x": [1.0]}, {}, "no column `yi`"),
    "words": ({"yi": ["high"], "vi": [1.0]}, {}, "not a number"),
    "means by Mantel-Haenszel": (
        {"mi": [1.0], "sdi": [1.0], "ni": [5]}, {"method": "MH", "measure": "MN"}, "MH pools counts"),
    "nobody had it": (
        {"ai": [0, 0], "n1i": [9, 8], "ci": [0, 0], "n2i": [9, 8]},
        {"method": "MH", "measure": "OR"}, "no sum"),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "options", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_pooled_is_refused_in_one_sentence(columns, options, words):
    with pytest.raises(me.EvidenceError, match=words):
        pool(pd.DataFrame(columns), **options)


WHOLE = ("words", "points in time", "complex numbers", "two measures")  # the request, and not one question
ROWWISE = [name for name, (columns, options, _) in REFUSED.items()
           if not options and len(columns.get("yi", ())) and name not in WHOLE]  # fmt: skip


@pytest.mark.parametrize("name", ROWWISE)
def test_among_many_questions_one_that_cannot_be_pooled_keeps_its_row_with_the_reason(name):
    columns, _, words = REFUSED[name]
    bad = pd.DataFrame(columns).assign(question="bad")
    good = pd.DataFrame(BASE).assign(question="good")
    rows = pool(pd.concat([bad, good, good.assign(question="more")]), by="question").set_index("question")
    assert words in rows.loc["bad", "note"]
    assert rows.loc["bad", ["estimate", "se", "tau2", "q"]].isna().all()
    assert rows.loc["good", "estimate"] == pool(pd.DataFrame(BASE)).estimate


def test_questions_may_differ_in_measure_but_not_within():
    frame = pd.DataFrame(
        {
            "yi": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
            "vi": [0.1] * 6,
            "question": ["a", "a", "b", "b", "c", "c"],
            "measure": ["RR", "RR", "MD", "MD", "RR", "MD"],
        }
    )
    rows = pool(frame, by="question")
    assert rows["measure"].tolist()[:2] == ["RR", "MD"]
    assert "more than one measure" in rows["note"].tolist()[2]
    asked = pool(frame, by="question", measure="RR")
    assert asked.loc[0].equals(rows.loc[0])
    assert asked["note"].tolist()[1] == "`yi` is MD, not RR; compute it anew with effect_sizes"
    odd = pool(frame.replace("MD", "MDD"), by="question")
    assert odd["note"].tolist()[1] == "there is no measure 'MDD'"


def test_counts_may_name_the_measure_of_each_question():
    counts = pd.DataFrame({"ai": [4, 6, 3], "bi": [9, 8, 7], "ci": [2, 3, 4], "di": [9, 9, 9]})
    frame = counts.assign(question=["b", "a", "b"], measure=["RR", "OR", "RR"])
    rows = pool(frame, by="question")
    assert rows["measure"].tolist() == ["OR", "RR"]
    assert rows.loc[1, "estimate"] == pool(counts.iloc[[0, 2]], measure="RR").estimate

    mixed = pool(frame.assign(measure=["RR", "OR", "OR"]), by="question")
    assert "more than one measure" in mixed["note"].tolist()[1]
    with pytest.raises(me.EvidenceError, match="OR and RR"):
        pool(me.effect_sizes(counts, "RR").assign(question=["b", "a", "b"], measure=["RR", "OR", "RR"]),
             by="question", method="MH")  # fmt: skip


@pytest.mark.parametrize("method", ["REML", "EE"])
@pytest.mark.parametrize("vi", [0.1, -0.1])
def test_the_interval_of_tau2_has_its_columns_whenever_it_is_asked_for(method, vi):
    rows = pool(pd.DataFrame({"yi": [0.1, 0.2], "vi": vi, "q0": 1}), by="q0", method=method, tau2_ci=True)
    assert rows.columns.tolist() == ["q0", *COLUMNS, "tau2_ci_low", "tau2_ci_high"]


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(me.EvidenceError, match="there are 2 columns `yi`; keep one"):
        pool(pd.DataFrame([[0.1, 0.2, 0.3]], columns=["yi", "yi", "vi"]))


def test_what_is_compared_with_nothing_is_printed_without_a_p():
    counted = pd.DataFrame({"xi": [3, 5, 9], "ni": [20, 31, 40]})
    ours = pool(counted, measure="PLO")
    assert ours.p_value is not None
    assert "p " not in repr(ours)
    assert "p = " in repr(pool(pd.DataFrame(BASE)))


def test_no_questions_give_an_empty_frame_with_the_same_columns():
    rows = pool(pd.DataFrame({"question": [], "yi": [], "vi": []}), by="question")
    assert rows.columns.tolist() == ["question", *COLUMNS]
    assert len(rows) == 0


def test_a_question_named_like_a_result_is_refused():
    with pytest.raises(me.EvidenceError, match="rename"):
        pool(pd.DataFrame({**BASE, "k": [1, 1, 1]}), by="k")


# What holds for every set of studies ---------------------------------------------------------------

number = st.floats(-5, 5, allow_subnormal=False).map(lambda value: round(value, 6))
variance = st.floats(1e-4, 10).map(lambda value: round(value, 6))
studies = st.lists(st.tuples(number, variance), min_size=1, max_size=12)
random_method, any_test = st.sampled_from(METHODS), st.sampled_from(TESTS)
NUMBERS = [name for name in COLUMNS if name not in ("measure", "method", "test", "level", "note", "n")]


def framed(pairs):
    return pd.DataFrame(pairs, columns=["yi", "vi"], dtype=float)


@given(studies, random_method, any_test, st.randoms(use_true_random=False))
def test_the_order_of_studies_never_changes_a_bit(pairs, method, test, random):
    mixed = random.sample(pairs, len(pairs))
    ours, again = (pool(framed(rows), method=method, test=test).row() for rows in (pairs, mixed))
    assert ours == again


@given(st.lists(studies, min_size=1, max_size=6), random_method, any_test, st.randoms(use_true_random=False))
def test_a_question_among_many_is_that_question_alone_to_the_bit(questions, method, test, random):
    frame = pd.concat([framed(pairs).assign(question=f"q{i}") for i, pairs in enumerate(questions)])
    frame = frame.sample(frac=1, random_state=random.randrange(1000))
    rows = pool(frame, by="question", method=method, test=test, tau2_ci=True)
    for position, pairs in enumerate(questions):
        alone = pool(framed(pairs), method=method, test=test).row()
        among = {name: None if pd.isna(value) else value for name, value in rows.iloc[position].items()}
        among.pop("question")
        assert {**alone, **among} == alone


@given(st.lists(studies, min_size=1, max_size=5), random_method)
def test_a_repeated_question_repeats_its_row(questions, method):
    frame = pd.concat([framed(pairs).assign(question=i) for i, pairs in enumerate(questions)])
    twice = pd.concat([frame, frame.assign(question=frame["question"] + 1000)])
    rows = pool(twice, by="question", method=method).drop(columns="question")
    first, second = rows.iloc[: len(questions)], rows.iloc[len(questions) :]
    pd.testing.assert_frame_equal(
        first.reset_index(drop=True), second.reset_index(drop=True), check_exact=True
    )


@given(studies, random_method, st.integers(-8, 8))
def test_a_constant_added_to_every_effect_shifts_the_estimate_alone(pairs, method, constant):
    ours, moved = (pool(framed([(y + shift, v) for y, v in pairs]), method=method) for shift in (0, constant))
    assert moved.estimate == pytest.approx(ours.estimate + constant, rel=1e-9, abs=1e-9)
    if ours.tau2 is not None:
        assert moved.tau2 == pytest.approx(ours.tau2, rel=1e-6, abs=1e-9)


@given(studies, random_method, any_test, st.sampled_from([2.0**-30, 0.25, -1.0, 4.0, 2.0**40]))
def test_another_unit_scales_everything(pairs, method, test, factor):
    assume(len({y for y, _ in pairs}) > 1)
    ours = pool(framed(pairs), method=method, test=test)
    scaled = pool(framed([(y * factor, v * factor**2) for y, v in pairs]), method=method, test=test)
    assert scaled.estimate == pytest.approx(ours.estimate * factor, rel=1e-9, abs=1e-12 * abs(factor))
    assert scaled.se == pytest.approx(ours.se * abs(factor), rel=1e-9)
    assert scaled.p_value == pytest.approx(ours.p_value, rel=1e-6)
    if ours.tau2 is not None:
        assert scaled.tau2 == pytest.approx(ours.tau2 * factor**2, rel=1e-6, abs=1e-12 * factor**2)


ugly = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True),
    st.sampled_from(
        [0.0, -0.0, 1e300, -1e300, 1e-300, 5e-324, math.inf, -math.inf, math.nan, 1e50, 1e-50, 1.0]
    ),
    st.builds(lambda sign, power: sign * 10.0**power, st.sampled_from([1, -1]), st.floats(-50, 50)),
)


@settings(max_examples=300)
@given(st.lists(st.tuples(ugly, ugly), min_size=1, max_size=6), random_method, any_test)
def test_ugly_numbers_are_pooled_to_finite_ones_or_refused(pairs, method, test):
    try:
        ours = pool(framed(pairs), method=method, test=test)
    except me.EvidenceError:
        return
    assert all(value is None or math.isfinite(value) for value in map(ours.row().get, NUMBERS))
    assert ours.tau2 is None or ours.tau2 >= 0
    assert min(ours.yi) - 1e-9 * abs(min(ours.yi)) <= ours.estimate <= max(ours.yi) + 1e-9 * abs(max(ours.yi))


@given(st.lists(st.tuples(ugly, ugly, st.integers(0, 3)), min_size=1, max_size=12), random_method)
def test_ugly_numbers_among_many_questions_never_stop_the_others(rows, method):
    frame = pd.DataFrame(rows, columns=["yi", "vi", "question"])
    ours = pool(frame, by="question", method=method, tau2_ci=True)
    assert len(ours) == frame["question"].nunique()
    values = ours[["estimate", "se", "tau2", "i2", "q"]].to_numpy(dtype=float)
    assert not np.isinf(values).any()
    assert (ours["estimate"].notna() | ours["note"].notna()).all()


def test_the_many_question_form_is_a_pure_function_that_travels():
    assert pickle.loads(pickle.dumps(pool)) is pool
    frame = pd.DataFrame({**BASE, "question": ["a", "a", "b"]})
    before = frame.copy()
    pool(frame, by="question")
    pd.testing.assert_frame_equal(frame, before)


# A synthesis pooled otherwise than its record says ------------------------------------------------


EVIDENCE, TRIALS = me.load(GOLDEN.parent.parent), "meso-v-saline-response"


def test_a_synthesis_is_pooled_as_its_record_says_and_then_claims_no_freedom():
    ours = me.pool(EVIDENCE, TRIALS)
    plan = EVIDENCE.syntheses[TRIALS].analysis
    assert (ours.measure, ours.method, ours.test) == (plan.measure, plan.method, plan.test)
    assert not any("exploratory" in warning for warning in ours.warnings)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measure": "OR"}, "OR instead of RR"),
        ({"method": "DL", "test": "z"}, "DL instead of REML, z instead of knha"),
        ({"arms": {"sobhy-2013": "high-dose"}}, "of sobhy-2013 high-dose"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_analysis_than_the_one_fixed_says_so_first(options, said):
    ours = me.pool(EVIDENCE, TRIALS, **options)
    assert ours.warnings[0] == f"exploratory, not the analysis that was fixed: {said}"
    assert ours.label == me.pool(EVIDENCE, TRIALS).label


def test_one_arm_of_a_study_can_stand_for_both_and_another_measure_for_the_fixed_one():
    record = me.pool(EVIDENCE, TRIALS).studies.set_index("study")
    alone = me.pool(EVIDENCE, TRIALS, arms={"sobhy-2013": ["high-dose"]}).studies.set_index("study")
    both = record.loc["sobhy-2013", ["ai", "n1i", "ci", "n2i"]].tolist()
    assert (both, alone.loc["sobhy-2013", ["ai", "n1i", "ci", "n2i"]].tolist()) == (
        [45, 60, 12, 30],
        [27, 30, 12, 30],
    )
    others = [study for study in record.index if study != "sobhy-2013"]
    assert alone.loc[others, "yi"].tolist() == record.loc[others, "yi"].tolist()
    odds = me.pool(EVIDENCE, TRIALS, measure="OR").studies.set_index("study").loc["sobhy-2013", "yi"]
    assert odds == pytest.approx(math.log((45 / 15) / (12 / 18)))


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ({"gajjar-2019": "minoxidil"}, "no study `gajjar-2019`; it has abdallah-2009"),
        ({"sobhy-2013": "middle-dose"}, "no arm `middle-dose`; it has low-dose"),
        ({"sobhy-2013": []}, "no arm"),
    ],
)
def test_a_study_or_arm_that_is_not_there_is_named_with_those_that_are(arms, words):
    with pytest.raises(me.EvidenceError, match=words):
        me.pool(EVIDENCE, TRIALS, arms=arms)


def test_arms_of_a_frame_are_refused():
    with pytest.raises(me.EvidenceError, match="choose the rows"):
        pool(pd.DataFrame(BASE), arms={"a": "b"})


def test_a_result_keeps_the_studies_as_they_were_when_they_were_pooled():
    frame = pd.DataFrame({**BASE, "dose": [1, 2, 3]})
    ours = pool(frame)
    frame.loc[0, "dose"] = 9
    assert ours.studies["dose"].tolist() == [1, 2, 3]
