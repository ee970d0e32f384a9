"""A forest plot shows what was pooled: order, weights, intervals, arrows, and no text on another."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from matplotlib.colors import to_hex

import mesoevidence as me
from mesoevidence.charts import kit
from mesoevidence.diagnostics import cumulative, leave_one_out
from tests import drawn

# The thirteen BCG trials (Colditz 1994, JAMA 271:698), as metafor's dat.bcg has them.
BCG = pd.DataFrame(
    [
        ("Aronson 1948", 4, 119, 11, 128, "random"),
        ("Ferguson & Simes 1949", 6, 300, 29, 274, "random"),
        ("Rosenthal et al 1960", 3, 228, 11, 209, "random"),
        ("Hart & Sutherland 1977", 62, 13536, 248, 12619, "random"),
        ("Frimodt-Moller et al 1973", 33, 5036, 47, 5761, "alternate"),
        ("Stein & Aronson 1953", 180, 1361, 372, 1079, "alternate"),
        ("Vandiviere et al 1973", 8, 2537, 10, 619, "random"),
        ("TPT Madras 1980", 505, 87886, 499, 87892, "random"),
        ("Coetzee & Berjak 1968", 29, 7470, 45, 7232, "random"),
        ("Rosenthal et al 1961", 17, 1699, 65, 1600, "systematic"),
        ("Comstock et al 1974", 186, 50448, 141, 27197, "systematic"),
        ("Comstock & Webster 1969", 5, 2493, 3, 2338, "systematic"),
        ("Comstock et al 1976", 27, 16886, 29, 17825, "systematic"),
    ],
    columns=["slab", "ai", "bi", "ci", "di", "alloc"],
)
SIDES = ("Favours BCG vaccine", "Favours no vaccine")
WIDTHS = ("natural", "double", "single")
NAMES = st.one_of(
    st.sampled_from(["$\\frac{", "_x", "<script>alert(1)</script>", "$$", "a & b", "\x00\x01", "", "x" * 40]),
    st.text(min_size=1, max_size=40),
    st.text(alphabet="中文试验研究日本語한국", min_size=1, max_size=40),
)


@pytest.fixture(scope="module")
def bcg():
    return me.pool(BCG, measure="RR")


@st.composite
def bodies(draw, most=20):
    """Return effects of one to many studies, narrow and very wide, with any names."""
    k = draw(st.integers(1, most))
    yi = draw(st.lists(st.decimals(-5, 5, places=3).map(float), min_size=k, max_size=k))
    se = draw(st.lists(st.sampled_from([0.01, 0.1, 0.5, 1, 3, 30]), min_size=k, max_size=k))
    slab = draw(st.lists(NAMES, min_size=k, max_size=k))
    group = draw(st.lists(st.sampled_from(["one", "two", "three"]), min_size=k, max_size=k))
    frame = pd.DataFrame({"yi": yi, "vi": np.square(se), "slab": slab, "group": group})
    return frame.assign(study=range(k))


def shown(figure):
    """Return the axis as it is drawn: its ends, and where the null stands."""
    (line,) = drawn.marks(figure, "axis")
    null = drawn.marks(figure, "null")
    return line[0][0], line[1][0], null[0][0][0] if null else None


def test_studies_stand_in_the_order_given_with_their_names(bcg):
    words = drawn.words(me.forest(bcg).figure)

    assert [word for word in words if word in set(BCG["slab"])] == list(BCG["slab"])


def test_the_areas_of_squares_are_in_the_ratio_of_weights(bcg):
    squares = [drawn.area(square) for square in drawn.marks(me.forest(bcg).figure, "square")]

    assert np.allclose(np.array(squares) / max(squares), np.array(bcg.weights) / max(bcg.weights), rtol=1e-6)


def test_the_diamond_spans_the_interval_and_every_mark_stands_where_its_number_says(bcg):
    figure = me.forest(bcg).figure
    diamond = drawn.bounds(drawn.marks(figure, "diamond-total")[0])
    squares = [drawn.bounds(square) for square in drawn.marks(figure, "square")]
    middles = [(left + right) / 2 for left, _, right, _ in squares]
    scale, start = np.polyfit(bcg.yi, middles, 1)

    assert np.allclose(np.polyval([scale, start], bcg.yi), middles, atol=1e-6)
    assert np.allclose([diamond[0], diamond[2]], np.polyval([scale, start], bcg.ci), atol=1e-6)
    assert math.isclose(shown(figure)[2], start, abs_tol=1e-6)


def test_ticks_contain_the_null_and_stand_apart(bcg):
    figure = me.forest(bcg).figure
    ticks = [tick[0][0] for tick in drawn.marks(figure, "tick")]

    assert any(math.isclose(tick, shown(figure)[2]) for tick in ticks)
    assert {"0.1", "0.3", "1", "3", "10"} <= set(drawn.words(figure))


@pytest.mark.parametrize("half", [0.1, 0.3, 0.7, 1.2, 2, 4])
@pytest.mark.parametrize("measure", ["RR", "PLO", "MD"])
@pytest.mark.parametrize("width", WIDTHS)
def test_an_axis_of_any_length_has_ticks_that_say_where_one_is(measure, half, width):
    frame = pd.DataFrame({"yi": np.linspace(-half - 1, half - 1, 9), "vi": 0.01})
    figure = me.forest(me.pool(frame, measure=measure), width=width).figure

    assert 2 + (width != "single") <= len(drawn.marks(figure, "tick")) <= 7


def test_a_single_study_stands_on_the_axis_with_its_whole_interval():
    chart = me.forest(me.pool(pd.DataFrame({"slab": ["A"], "yi": [-0.16], "vi": [0.38]}), measure="RR"))

    assert not drawn.marks(chart.figure, "arrow-left") + drawn.marks(chart.figure, "arrow-right")


def test_an_estimate_without_an_interval_is_shown_as_one():
    frame = pd.DataFrame({"slab": ["A", "B", "C"], "yi": [0.1, 0.3, np.nan], "vi": [0.02, np.nan, 0.1]})
    chart = me.forest(frame, measure="RR")

    assert {"1.35, no interval", "Not estimable"} <= set(drawn.words(chart.figure))
    assert chart.rows[1:] == ("B, risk ratio 1.35, no interval", "C: not estimable")
    assert chart.data["ci_low"].notna().tolist() == [True, False, False]
    assert len(drawn.marks(chart.figure, "square")) == 2


def test_a_total_without_an_interval_claims_none():
    same = me.forest(me.pool(pd.DataFrame({"yi": [0.2] * 3, "vi": [0.1] * 3}), measure="RR"))

    assert same.rows[-1] == "Total (95% CI), risk ratio 1.22, no interval, weight 100.0%"
    assert same.data[["ci_low", "ci_high"]].iloc[-1].isna().all()


def test_a_ratio_of_small_steps_is_printed_with_the_decimals_that_tell_it_from_one():
    frame = pd.DataFrame({"slab": list("ABC"), "yi": [0.001, 0.002, -0.001], "vi": [1e-6, 2e-6, 1e-6]})
    chart = me.forest(me.pool(frame, measure="RR"))

    assert "1.001 [0.999, 1.003]" in drawn.words(chart.figure)
    assert "95% CI 0.999 to 1.003" in chart.rows[0]
    assert "1.00 [1.00, 1.00]" in drawn.words(me.forest(me.pool(frame, measure="RR"), digits=2).figure)


def test_counts_are_written_as_counts_and_add_up(bcg):
    chart = me.forest(bcg, arms=("BCG vaccine", "No vaccine"))
    words = drawn.words(chart.figure)

    assert "13\u2009598" in words
    assert "191\u2009064" in words
    assert words.count("Events") == 2
    assert chart.data["BCG vaccine Total"].iloc[-2] == "191\u2009064"


def test_a_study_without_events_is_shown_with_its_zero():
    frame = pd.DataFrame({"slab": ["A", "B"], "ai": [0, 5], "n1i": [10, 20], "ci": [4, 6], "n2i": [10, 20]})

    words = drawn.words(me.forest(me.pool(frame, measure="RR")).figure)

    assert "0" in words


def test_subgroups_have_a_diamond_each_and_their_notes(bcg):
    chart = me.forest(bcg, by="alloc")
    words = drawn.words(chart.figure)

    assert len(drawn.marks(chart.figure, "diamond-subtotal")) == 3
    assert [word.split(";")[0] for word in words if "; τ² = " in word] == [
        "7 studies",
        "2 studies",
        "4 studies",
    ]
    assert [word for word in words if word in {"random", "alternate", "systematic"}] == [
        "random", "alternate", "systematic",
    ]  # fmt: skip
    assert any(word.startswith("Subgroup differences: χ² = ") for word in words)
    # metafor 3.8: rma(yi, vi, data=dat, subset=alloc=="random", test="knha")
    row = chart.data[chart.data["row"] == "subtotal"].iloc[0]
    assert [round(row[name], 2) for name in ("estimate", "ci_low", "ci_high")] == [0.38, 0.20, 0.70]


def test_a_subgroup_of_one_study_has_no_diamond():
    frame = pd.DataFrame({"yi": [0.1, 0.2, 0.3], "vi": [0.1] * 3, "group": ["a", "a", "b"]})

    assert len(drawn.marks(me.forest(me.pool(frame), by="group").figure, "diamond-subtotal")) == 1


def test_the_direction_of_the_outcome_says_who_is_favoured_where():
    pooled = me.pool(me.load(), "meso-v-saline-response")
    figure = me.forest(pooled).figure
    null, floor = shown(figure)[2], drawn.marks(figure, "axis")[0][0][1]
    below = [box for box in drawn.boxes(figure) if floor + 0.2 < box[2] < floor + 0.9]

    assert pooled.question.better == "higher"
    assert any("saline" in text and right < null for text, _, _, right, _ in below)
    assert any("minoxidil" in text and left > null for text, left, *_ in below)


def test_a_cumulative_plot_of_a_synthesis_knows_which_way_is_better_too():
    pooled = me.pool(me.load(), "meso-v-saline-response")

    words = drawn.words(me.forest(leave_one_out(pooled)).figure)

    assert sum(word.startswith("Favours intradermal") for word in words) == 2


def test_a_study_whose_author_was_not_seen_carries_the_number_of_its_registration():
    words = drawn.words(me.forest(me.pool(me.load(), "meso-v-saline-response")).figure)

    assert {"Abdallah 2009", "NCT01655108"} <= set(words)
    assert not any("uzel" in word.lower() for word in words)


def squares(data, measure, **options):
    """Return the colour of the squares in the manner of Cochrane."""
    figure = me.forest(me.pool(data, measure=measure, **options), style="cochrane").figure
    (artist,) = [artist for artist in figure.artists if artist.get_gid() == "square"]
    return to_hex(artist.get_facecolor()[0]).upper(), " ".join(drawn.words(figure))


def test_the_manner_of_cochrane_colours_squares_by_the_kind_of_data_and_says_how_they_were_pooled():
    means = {"m1i": [1, 2], "sd1i": 1, "n1i": 20, "m2i": [2, 2], "sd2i": 1, "n2i": 20}
    effects = {"yi": [0.1, 0.2], "vi": 0.1}
    events, said = squares(BCG, "RR")

    assert "[IV, Random," in said
    assert "MH, Fixed," in squares(BCG, "RR", method="MH")[1]
    assert (events, squares(pd.DataFrame(means), "MD")[0], squares(pd.DataFrame(effects), "GEN")[0]) == (
        kit.BLUE, kit.GREEN, kit.VERMILLION,
    )  # fmt: skip


def test_the_manner_of_jama_leaves_no_row_empty_and_no_line_goes_through_a_text(bcg):
    figure = me.forest(bcg, by="alloc", style="jama").figure
    boxes = [box for box in drawn.boxes(figure) if box[1] < 1]
    first, last = (
        next(box[2] for box in boxes if box[0] == name) for name in ("random", "95% prediction interval")
    )
    rows = sorted(box[2] for box in boxes if first <= box[2] <= last)
    narrow = me.forest(bcg, by="alloc", style="jama", width="single").figure
    rules = [drawn.bounds(rule)[1] for rule in drawn.marks(narrow, "rule")]

    assert max(np.diff(rows)) < 0.3  # a row is 0.235 inches high
    assert not any(top < rule < bottom for rule in rules for _, _, top, _, bottom in drawn.boxes(narrow))


def test_a_proportion_has_round_ticks_on_its_logit_axis():
    frame = pd.DataFrame({"slab": list("ABCD"), "xi": [2, 10, 0, 5], "ni": [40, 90, 30, 66]})
    words = drawn.words(me.forest(me.pool(frame, measure="PLO")).figure)

    assert {"0.001", "0.01", "0.1"} <= set(words)


def test_no_interval_of_a_proportion_is_drawn_below_nothing():
    frame = pd.DataFrame({"slab": list("ABCD"), "xi": [2, 10, 0, 5], "ni": [40, 90, 30, 66]})
    figure = me.forest(me.pool(frame, measure="PAS")).figure
    zeros = [(top, (left + right) / 2) for text, left, top, right, _ in drawn.boxes(figure) if text == "0"]
    lines = [
        drawn.bounds(mark)[0] for name in ("interval", "prediction") for mark in drawn.marks(figure, name)
    ]

    assert len(lines) == 5
    assert min(lines) >= max(zeros)[1] - 0.01


def test_the_name_of_an_arm_takes_three_lines_at_most():
    name = "Intradermal dutasteride or intradermal minoxidil, weekly"
    figure = me.forest(me.pool(BCG, measure="RR"), arms=(name, "Saline")).figure
    lines = sorted((top, text) for text, _, top, *_ in drawn.boxes(figure) if text in name)

    assert " ".join(text for _, text in lines) == name
    assert len(lines) <= 3


def test_lights_stand_beside_their_study_with_sign_and_legend(bcg):
    bias = pd.DataFrame(
        [("Aronson 1948", "randomisation", "low"), ("Aronson 1948", "overall", "high")],
        columns=["study", "domain", "judgement"],
    )
    chart = me.forest(bcg, rob=bias)
    words = drawn.words(chart.figure)

    assert len(drawn.marks(chart.figure, "light")) == 2 + 2
    assert {"Low risk", "High risk", "O", "1"} <= set(words)
    assert "overall high" in chart.rows[0]


def test_nothing_pooled_shows_effects_without_a_diamond():
    frame = pd.DataFrame({"slab": ["A", "B"], "yi": [0.5, -0.1], "vi": [0.1, 0.2]})
    figure = me.forest(frame, measure="SMD").figure

    assert not drawn.marks(figure, "diamond-total")
    assert len(drawn.marks(figure, "square")) == 2
    assert "Nothing was pooled." in drawn.words(figure)


def test_cumulative_and_leave_one_out_rows_carry_the_measure(bcg):
    for again, word in ((cumulative(bcg), "Adding"), (leave_one_out(bcg), "Without")):
        chart = me.forest(again)

        assert len(drawn.marks(chart.figure, "square")) == 13
        assert any(text.startswith(f"{word} Aronson") for text in drawn.words(chart.figure))
        assert chart.data["estimate"].between(0, 2).all()
        low, high = chart.data["estimate"].min(), chart.data["estimate"].max()
        assert chart.alt == f"Forest plot of 13 pooled estimates, risk ratio {low:.2f} to {high:.2f}."


def test_many_studies_go_to_several_pages_with_the_heading_repeated(tmp_path):
    frame = pd.DataFrame({"yi": np.linspace(-1, 1, 130), "vi": 0.1, "slab": [f"S {n}" for n in range(130)]})
    chart = me.forest(me.pool(frame))

    assert len(chart.figures) == 3
    assert all("Study or subgroup" in drawn.words(figure) for figure in chart.figures)
    assert [path.name for path in chart.save(tmp_path / "f.svg")] == ["f.svg", "f-2.svg", "f-3.svg"]
    assert chart.save(tmp_path / "f.pdf") == (tmp_path / "f.pdf",)


def test_no_page_ends_with_the_name_of_a_subgroup():
    frame = pd.DataFrame({"yi": np.linspace(0, 1, 8), "vi": 0.1, "group": list("aaabbbbb")})
    frame["slab"] = [f"study {n}" for n in range(8)]
    for rows in range(1, 16):
        chart = me.forest(me.pool(frame), by="group", rows_a_page=rows)
        for figure in chart.figures:
            lowest = max(drawn.boxes(figure), key=lambda box: (box[0] in ("a", "b"), box[2]))
            studies = [box[2] for box in drawn.boxes(figure) if box[0].startswith("study ")]
            assert lowest[0] not in ("a", "b") or max(studies, default=0) > lowest[2]
        words = [word for figure in chart.figures for word in drawn.words(figure)]
        assert sum(word.startswith("study ") for word in words) == 8


def test_other_poolings_stand_below_the_analysis_each_with_its_diamond_and_its_name(bcg):
    others = [me.pool(BCG, measure="RR", method=method, test="z") for method in ("EE", "DL")]
    chart = me.forest(bcg, beside=others)
    words = drawn.words(chart.figure)
    ends = [drawn.bounds(mark)[:3:2] for mark in drawn.marks(chart.figure, "diamond-beside")]
    scale = np.polyfit(bcg.ci, drawn.bounds(drawn.marks(chart.figure, "diamond-total")[0])[:3:2], 1)

    # metafor 3.8, exp(coef(rma(yi, vi, data=dat, method=...))): EE 0.65 (0.60, 0.70), DL 0.49 (0.34, 0.70)
    assert {"Equal effects, Wald z (95% CI)", "0.65 [0.60, 0.70]", "0.49 [0.34, 0.70]"} <= set(words)
    assert np.allclose(ends, [np.polyval(scale, other.ci) for other in others])
    with pytest.raises(me.EvidenceError, match="same studies by the same measure"):
        me.forest(bcg, beside=[me.pool(BCG, measure="OR")])


def test_further_columns_carry_the_headings_given(bcg):
    words = drawn.words(me.forest(bcg, columns={"bi": "Without TB"}).figure)

    assert {"Without TB", "13536"} <= set(words)
    assert "bi" in drawn.words(me.forest(bcg, columns=["bi"]).figure)


def test_a_band_of_what_does_not_matter_is_shaded_around_the_null(bcg):
    figure = me.forest(bcg, mid=1.25).figure
    left, _, right, _ = drawn.bounds(drawn.marks(figure, "mid")[0])

    assert math.isclose(shown(figure)[2] - left, right - shown(figure)[2], rel_tol=1e-6)


@pytest.mark.parametrize("style", ["standard", "cochrane", "jama", "bmj"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_style_fits_every_width(bcg, style, width):
    bias = pd.DataFrame(
        [(slab, domain, "some-concerns") for slab in BCG["slab"] for domain in ("one", "two", "overall")],
        columns=["study", "domain", "judgement"],
    )
    figure = me.forest(bcg, by="alloc", rob=bias, style=style, width=width, favours=SIDES).figure

    assert drawn.collisions(figure) == []
    assert drawn.strays(figure) == []
    assert min(drawn.sizes(figure)) >= 7
    if width != "natural":
        assert math.isclose(
            figure.get_size_inches()[0] * 25.4, {"double": 180, "single": 89}[width], abs_tol=0.01
        )


@st.composite
def tables(draw):
    """Return counts of two groups, often without an event, or with nothing but events."""
    k = draw(st.integers(1, 8))
    rows = []
    for _ in range(k):
        n1, n2 = draw(st.integers(1, 900)), draw(st.integers(1, 900))
        rows.append(
            (draw(st.sampled_from([0, n1, n1 // 3])), n1, draw(st.sampled_from([0, n2, n2 // 5])), n2)
        )
    frame = pd.DataFrame(rows, columns=["ai", "n1i", "ci", "n2i"])
    return frame.assign(slab=draw(st.lists(NAMES, min_size=k, max_size=k)), study=range(k))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.sampled_from(["RR", "OR", "RD"]), st.sampled_from(WIDTHS))
def test_whatever_cells_are_zero_every_count_is_shown_and_no_text_overlaps(frame, measure, width):
    pooled = me.pool(frame, measure=measure)
    try:
        chart = me.forest(pooled, width=width, favours=SIDES)
    except me.EvidenceError as error:  # numbers such as 1.2×10⁻⁵ need a wider page, which is said
        assert "too wide for the page" in str(error)
        chart = me.forest(pooled, favours=SIDES)
    studies = chart.data[chart.data["row"] == "study"]

    assert drawn.collisions(chart.figure) == drawn.strays(chart.figure) == []
    shown = studies["Intervention Events"].str.replace("\u2009", "").astype(int)
    assert shown.tolist() == frame["ai"].tolist()
    assert studies["estimate"].notna().all()
    assert np.isfinite(studies["estimate"].astype(float)).all()


def laws(frame, width):
    """Hold a forest plot of any studies to the laws."""
    pooled = me.pool(frame)
    chart = me.forest(pooled, by="group", width=width, favours=SIDES)
    for figure in chart.figures:
        assert drawn.collisions(figure) == []
        assert drawn.strays(figure) == []
        assert min(drawn.sizes(figure)) >= 7
    left, right, null = shown(chart.figure)
    assert left <= null <= right
    assert any(math.isclose(tick[0][0], null, abs_tol=1e-9) for tick in drawn.marks(chart.figure, "tick"))
    arrows = {
        side: sum(len(drawn.marks(figure, f"arrow-{side}")) for figure in chart.figures)
        for side in ("left", "right")
    }
    return chart, arrows, (left, right, null)


def test_small_effects_with_many_decimals_fit_a_single_column():
    frame = pd.DataFrame({"yi": [0, 0, 0, 0.001], "vi": 0.0001, "slab": "study", "group": "one"})

    laws(frame.assign(study=range(4)), "single")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bodies(8), st.sampled_from(WIDTHS))
def test_no_two_texts_overlap_whatever_the_studies_are_called(frame, width):
    laws(frame, width)


@pytest.mark.slow
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(bodies(200), st.sampled_from(WIDTHS))
def test_no_two_texts_overlap_in_long_plots(frame, width):
    laws(frame, width)


@settings(max_examples=12, deadline=None)
@given(bodies(8))
def test_arrows_stand_where_and_only_where_an_interval_leaves_the_axis(frame):
    chart, arrows, (left, right, null) = laws(frame, "natural")
    table = chart.data[chart.data["row"].isin(["study", "prediction"])]
    diamonds = drawn.marks(chart.figure, "diamond-total")
    total = chart.data[chart.data["row"] == "total"]
    if len(diamonds) and total["estimate"].iloc[0]:
        middle = diamonds[0][1][0]
        scale = (middle - null) / total["estimate"].iloc[0]
        if abs(middle - null) > 1e-3:
            low, high = (left - null) / scale, (right - null) / scale
            edge = 1e-9 * (high - low)
            assert arrows["left"] == (table["ci_low"] < low - edge).sum()
            assert arrows["right"] == (table["ci_high"] > high + edge).sum()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"style": "lancet"}, "there is no style 'lancet'"),
        ({"width": "wide"}, "`width` is natural, double, single"),
        ({"hide": ["weights"]}, "did you mean `weight`"),
        ({"by": "allocation"}, "there is no column `allocation`"),
        ({"columns": ["dose"]}, "there is no column `dose`"),
        ({"mid": 0.0}, "`mid` of a ratio is above 0"),
    ],
)
def test_what_cannot_be_drawn_is_said(bcg, options, words):
    with pytest.raises(me.EvidenceError, match=words):
        me.forest(bcg, **options)
