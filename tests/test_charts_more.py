"""What flows, maps, timelines, directions, L'Abbé and Baujat plots show is what the data say."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import mesoevidence as me
from mesoevidence.charts.evidence_map import LEVELS
from tests import drawn
from tests.test_charts_forest import BCG, NAMES

WIDTHS = ("natural", "double", "single")
# Haddaway et al. (2018), Environmental Evidence, doi:10.1186/s13750-018-0126-2; the counts of its flow as the
# authors' flow diagram tool shows them (doi:10.5281/zenodo.4134795).
STRIPS = {
    "identified": {"Bibliographic databases": 31341, "Other resources": 417},
    "removed": {"Duplicate records": 11884},
    "screened": [("Titles screened", 19874), ("Abstracts screened", 8511)],
    "excluded": [("Titles excluded", 11363), ("Abstracts excluded", 5094)],
    "sought": 3417,
    "not_retrieved": {"Not accessible": 276, "Not found": 847},
    "assessed": 2294,
    "ineligible": 1092,
    "included": {"reports": 1202},
}
# metafor 3.8, baujat(rma(yi, vi, data=dat, test="knha", control=list(threshold=1e-14)))
BAUJAT = [
    (0.047818340547, 0.001474105695), (1.493411407593, 0.111247731333),
    (0.550875336666, 0.023583722171), (1.586050073465, 0.224075841788),
    (0.677711031130, 0.066875249058), (0.016005556001, 0.000334967400),
    (1.531903062586, 0.107518349233), (1.663845949733, 0.193722708513),
    (0.162523329209, 0.018335696903), (1.116847762543, 0.108518529978),
    (0.432221097225, 0.049130393782), (1.592238545103, 0.064061770998),
    (1.263788171803, 0.115307044665),
]  # fmt: skip


@pytest.fixture(scope="module")
def bcg():
    return me.pool(BCG, measure="RR")


@pytest.fixture(scope="module")
def evidence():
    return me.load()


def middle(mark):
    left, top, right, bottom = drawn.bounds(mark)
    return (left + right) / 2, (top + bottom) / 2


def wide(mark):
    left, _, right, _ = drawn.bounds(mark)
    return right - left


# PRISMA -------------------------------------------------------------------------------------------


def test_a_flow_that_adds_up_shows_every_count_in_its_box():
    chart = me.prisma(STRIPS)
    words = " ".join(drawn.words(chart.figure)).replace("\u2009", " ").replace("\u00a0", " ")

    for said in (
        "31 758",
        "19 874",
        "8 511",
        "(n = 276)",
        "2 294",
        "Reports of included studies (n = 1 202)",
    ):
        assert said in words
    assert len(drawn.marks(chart.figure, "box")) == 11
    assert len(drawn.marks(chart.figure, "head")) == 10
    assert "31 758 records identified" in chart.alt.replace("\u2009", " ")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"screened": [("Titles screened", 19875), ("Abstracts screened", 8511)]}, r"^Titles screened \(19"),
        ({"sought": 3416}, r"^Reports sought for retrieval \(3.416\) does not add up: 8.511 less 5.094"),
        ({"ineligible": 1093}, r"^Reports of included studies \(1.202\) does not add up: 1.201 were left"),
        ({"included": {"reports": 1202, "studies": 1203}}, r"^Studies included in review \(1.203\) is more"),
        ({"not_retrieved": 4000}, r"^Reports not retrieved \(4.000\) is more than the 3.417 there were"),
        ({"screned": 3}, r"no box `screned`; did you mean `screened`\?"),
        ({"assessed": -1}, "whole number from 0 on, not -1"),
        ({"assessed": 2.5}, "whole number from 0 on, not 2.5"),
        ({"excluded": 3}, "`screened` has 2 steps and `excluded` 1"),
    ],
)
def test_a_flow_that_does_not_add_up_names_the_box(changed, said):
    with pytest.raises(me.EvidenceError, match=said):
        me.prisma({**STRIPS, **changed})


def test_a_published_flow_that_does_not_add_up_can_be_drawn_and_says_so():
    chart = me.prisma({**STRIPS, "sought": 3416}, strict=False)

    assert any(word.startswith("Does not add up: Reports sought") for word in drawn.words(chart.figure))
    assert any("does not add up" in row for row in chart.rows)


def test_a_box_that_is_not_known_is_left_out_and_nothing_is_concluded_from_it():
    chart = me.prisma({"identified": 90, "screened": 70, "included": {"studies": 4}})

    assert not any("removed" in word for word in drawn.words(chart.figure))
    assert len(drawn.marks(chart.figure, "box")) == 3


def test_reports_from_other_methods_are_added_to_those_from_databases():
    flow = {
        "identified": 30, "removed": 10, "screened": 20, "excluded": 12, "assessed": 8, "ineligible": 5,
        "other": {"identified": {"Websites": 4}, "assessed": 4, "ineligible": 3}, "included": {"reports": 4},
    }  # fmt: skip

    assert "Websites (n\u00a0=\u00a04)" in drawn.words(me.prisma(flow, width="double").figure)
    with pytest.raises(me.EvidenceError, match=r"does not add up: 4 were left"):
        me.prisma({**flow, "included": {"reports": 3}})
    with pytest.raises(me.EvidenceError, match="take width='double' or 'natural'"):
        me.prisma(flow, width="single")


UPDATE = {
    "identified": {"MEDLINE": 90, "Embase": 50}, "removed": 40, "screened": 100, "excluded": 88,
    "assessed": 12, "ineligible": 7, "previous": {"studies": 11, "reports": 14},
    "included": {"studies": 4, "reports": 5},
}  # fmt: skip


@pytest.mark.parametrize("width", ["natural", "double"])
@pytest.mark.parametrize("more", [{}, {"other": {"identified": 4, "assessed": 4, "ineligible": 4}}])
def test_an_updated_review_shows_the_version_before_at_the_left_and_the_totals_below(width, more):
    chart = me.prisma({**UPDATE, **more}, width=width)
    words = " ".join(drawn.words(chart.figure))
    places = {text: (left, top) for text, left, top, *_ in drawn.boxes(chart.figure)}
    first = next(place for text, place in places.items() if text.startswith("MEDLINE"))
    total, new, before = (
        next(place for text, place in places.items() if text.startswith(start))
        for start in ("Total studies", "New studies", "Studies included")
    )

    assert before[0] < first[0] and new[1] < total[1]
    counts = dict(zip(chart.data["count"], chart.data["n"], strict=True))
    assert counts["Total studies included in review"] == 15
    assert counts["Reports of total included studies"] == 19
    assert "Previous studies" in words
    assert drawn.collisions(chart.figure) == drawn.strays(chart.figure) == []


def test_previous_studies_that_make_no_sense_are_refused():
    with pytest.raises(me.EvidenceError, match=r"^Previous studies \(20\) is more than the 3 reports"):
        me.prisma({**UPDATE, "previous": {"studies": 20, "reports": 3}})
    with pytest.raises(me.EvidenceError, match="and no other box"):
        me.prisma({**UPDATE, "previous": {"records": 20}})
    with pytest.raises(me.EvidenceError, match="previous studies do not fit"):
        me.prisma(UPDATE, width="single")


# The evidence map ---------------------------------------------------------------------------------


def test_discs_are_as_large_as_the_numbers_of_studies_on_one_scale(evidence):
    chart = me.evidence_map(evidence)
    numbers = chart.data["studies"][chart.data["certainty"] != "gap"].tolist()
    areas = [wide(mark) ** 2 for figure in chart.figures for mark in drawn.marks(figure, "bubble")]

    assert len(numbers) > 100
    assert np.allclose(np.array(areas) / areas[0] * numbers[0], numbers, rtol=1e-6)


def test_every_cell_counts_the_studies_that_the_ledger_has(evidence):
    chart = me.evidence_map(evidence, interventions=["ha-crosslinked"], outcomes=["skin-hydration", "tewl"])
    found = chart.data.groupby("outcome")["studies"].sum()
    expected = {
        outcome: {
            study.id for study in evidence.studies.values() for result in study.results
            if result.outcome == outcome and any(
                study.arms[arm].intervention == "ha-crosslinked" for arm in result.values or study.arms)
        } for outcome in ("skin-hydration", "tewl")
    }  # fmt: skip

    assert found["Hydration of the skin measured by an instrument"] == len(expected["skin-hydration"]) > 1
    assert found["Loss of water through the skin"] == len(expected["tewl"])


def test_a_cell_without_a_study_is_hatched_and_called_a_gap(evidence):
    chart = me.evidence_map(evidence, interventions=["dermal-filler"], outcomes=["skin-hydration"])

    assert "gap" in drawn.words(chart.figure)
    assert drawn.marks(chart.figure, "hatch")
    assert chart.alt.endswith("1 gap.")
    assert "not evidence of no effect" in " ".join(drawn.words(chart.figure))


def test_certainties_are_told_apart_without_colour():
    assert len({level.part for level in LEVELS.values()}) == len(LEVELS)


@pytest.mark.parametrize("asked", [{"outcomes": ["skin-hydratoin"]}, {"interventions": ["ha-croslinked"]}])
def test_a_map_of_what_nobody_knows_names_the_nearest(evidence, asked):
    with pytest.raises(me.EvidenceError, match=r"did you mean '(skin-hydration|ha-crosslinked)'"):
        me.evidence_map(evidence, **asked)


# The timeline -------------------------------------------------------------------------------------


def test_a_timeline_ends_at_the_pooled_effect_and_at_all_people(bcg):
    data = me.timeline(bcg).data
    last = data.iloc[-1]

    assert data["year"].tolist() == sorted(set(data["year"]))
    assert math.isclose(last["estimate"], bcg.shown[0], rel_tol=1e-9)
    assert math.isclose(last["ci_low"], bcg.shown[1], rel_tol=1e-9)
    assert (last["k"], last["people"]) == (13, 357347)  # Colditz (1994): the sum of the table
    assert "300\u2009000" in drawn.words(me.timeline(bcg, width="single").figure)


def test_every_study_of_a_timeline_stands_where_its_effect_says(bcg):
    figure = me.timeline(bcg).figure
    heights = sorted(-middle(mark)[1] for mark in drawn.marks(figure, "study"))
    scale, start = np.polyfit(sorted(bcg.yi), heights, 1)

    assert np.allclose(np.polyval([scale, start], sorted(bcg.yi)), heights, atol=1e-6)


def test_the_studies_of_a_timeline_are_marked_by_their_group(bcg):
    figure = me.timeline(bcg, by="alloc").figure
    marks = drawn.marks(figure, "study")
    corners = [len(mark) for mark in marks]
    people = sorted(BCG[["ai", "bi", "ci", "di"]].sum(axis=1))[-3:]
    areas = sorted(drawn.area(mark) if len(mark) < 9 else math.pi * wide(mark) ** 2 / 4 for mark in marks)

    assert {"random", "alternate", "systematic"} <= set(drawn.words(figure))
    assert len(corners) == 13 and len(set(corners)) == 3
    assert np.allclose(np.array(areas[-3:]) / areas[-1], np.array(people) / people[-1], rtol=0.05)
    with pytest.raises(me.EvidenceError, match="has 13 values; 5 can be told apart"):
        me.timeline(bcg, by="slab")


def test_studies_of_one_year_enter_together(bcg):
    data = me.timeline(bcg).data

    assert data["k"][data["year"] == 1973].tolist() == [9]


def test_what_happened_is_marked_and_no_line_goes_through_its_words(bcg):
    figure = me.timeline(
        bcg, events={1960: "one " * 9, 1961: "two " * 9, 1979: "three"}, width="single"
    ).figure
    lines = [drawn.bounds(mark) for mark in drawn.marks(figure, "event")]
    said = [box for box in drawn.boxes(figure) if box[0][:5] in ("1979:", "1961:", "1960:")]

    assert len(lines) == len(said) == 3
    for _, left, top, right, bottom in said:
        for x, begin, _, end in lines:
            assert not (left < x < right and begin < bottom and top < end)


def test_a_study_without_a_year_is_named():
    frame = pd.DataFrame({"slab": ["A 1999", "B"], "yi": [0.1, 0.2], "vi": [0.1, 0.1]})

    with pytest.raises(me.EvidenceError, match="'B' has no year; name the column"):
        me.timeline(me.pool(frame))


def test_without_the_numbers_of_people_there_is_no_panel_of_people():
    frame = pd.DataFrame({"slab": ["A 1999", "B 2001"], "yi": [0.1, 0.2], "vi": [0.1, 0.1]})
    chart = me.timeline(me.pool(frame))

    assert not drawn.marks(chart.figure, "people")
    assert chart.data["people"].isna().all()


# Directions ---------------------------------------------------------------------------------------


def test_arrows_point_where_the_ledger_says_and_the_sign_test_is_exact(evidence):
    chart = me.effect_direction(evidence, "skin-hydration-direction")

    assert len(drawn.marks(chart.figure, "better")) == 5 + 5  # five studies, and five in the legend
    assert not drawn.marks(chart.figure, "worse")
    assert "sign test p = 0.062" in chart.alt  # R: binom.test(5, 5)$p.value is 0.0625


@pytest.mark.parametrize(
    ("up", "down", "p"),
    [(8, 1, "0.039"), (3, 3, "1.000"), (1, 0, "1.000"), (0, 7, "0.016")],  # R 4.2: binom.test(up, up + down)
)
def test_the_sign_test_is_that_of_r(up, down, p):
    ways = ["increase"] * up + ["decrease"] * down + ["mixed"]
    frame = pd.DataFrame({"study": [f"s{n}" for n in range(len(ways))], "outcome": "o", "direction": ways})

    assert f"sign test p = {p}" in me.effect_direction(frame).alt


def test_a_fall_is_better_where_lower_is_better():
    frame = pd.DataFrame(
        {"study": ["a", "b"], "outcome": ["o", "o"], "direction": ["decrease", "increase"], "better": "lower"}
    )

    assert me.effect_direction(frame).data["meaning"].tolist() == ["better", "worse"]


@pytest.mark.parametrize("draw", [me.effect_direction, me.harvest])
def test_a_direction_that_nobody_recorded_is_that_of_the_two_means_and_the_chart_says_so(evidence, draw):
    means = draw(evidence, "oral-dutasteride-v-placebo-density")  # 17.7 v -0.96 and three more as far apart
    recorded = draw(evidence, "skin-hydration-direction")

    assert means.data["direction"].tolist() == ["increase, by its means"] * 4
    assert "4 better, 0 worse" in means.alt
    assert all(row.endswith(", by its means") for row in means.rows)
    assert "A direction not recorded is that of the means" in " ".join(drawn.words(means.figure))
    assert "not recorded" not in " ".join(drawn.words(recorded.figure))


def test_without_two_means_a_direction_stays_untold(evidence):
    chart = me.effect_direction(evidence, ["polynucleotide-scalp-density", "prp-v-triamcinolone-areata"])

    assert set(chart.data["meaning"]) == {"unknown"}


def test_a_direction_that_nobody_recorded_is_that_of_an_interval_on_one_side_of_no_effect(evidence):
    ways = me.effect_direction(evidence, "botulinum-scalp-hair-count").data["direction"]

    assert "increase, by its interval" in ways.tolist()


def test_bars_of_a_harvest_are_higher_for_designs_that_suit_better(evidence):
    chart = me.harvest(evidence, "skin-hydration-direction")
    bars = [drawn.bounds(mark) for mark in drawn.marks(chart.figure, "bar")]
    heights = [round(bottom - top, 6) for _, top, _, bottom in bars]
    sides = [drawn.bounds(mark) for mark in drawn.marks(chart.figure, "side")]

    assert len(bars) == 5
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 2  # three are randomised and two are not
    assert all(sides[2][0] < left < right < sides[2][2] for left, _, right, _ in bars)


def test_the_bar_of_a_finding_is_as_high_as_its_kind_says_where_that_is_not_its_design():
    table = pd.DataFrame({
        "study": ["A", "B", "C"], "outcome": "o", "direction": "increase",
        "design": ["rct", "Parallel groups", None], "kind": [None, "rct", "cohort"],
    })  # fmt: skip
    chart = me.harvest(table)
    bars = [drawn.bounds(mark) for mark in drawn.marks(chart.figure, "bar")]
    heights = [bottom - top for _, top, _, bottom in bars]

    assert [round(high / heights[0], 6) for high in heights] == [1, 1, round(2 / 3, 6)]
    assert chart.data["design"].tolist() == ["randomised trial", "Parallel groups", None]


@pytest.mark.parametrize("draw", [me.effect_direction, me.harvest])
@pytest.mark.parametrize(
    ("n", "said"), [("x", "not a number"), (-1, "no count of people"), (math.inf, "no count of people")],
)  # fmt: skip
def test_people_that_cannot_be_counted_are_refused(draw, n, said):
    table = pd.DataFrame({"study": ["A", "B"], "outcome": "o", "direction": "increase", "n": [n, 3]})

    with pytest.raises(me.EvidenceError, match=said):
        draw(table)


def test_a_finding_without_a_design_has_an_empty_cell():
    table = pd.DataFrame({
        "study": ["A", "B"], "outcome": "o", "direction": ["increase", "decrease"], "design": ["rct", None],
    })  # fmt: skip
    words = drawn.words(me.effect_direction(table).figure)

    assert "randomised trial" in words
    assert not {"nan", "None"} & set(words)


@pytest.mark.parametrize("draw", [me.effect_direction, me.harvest])
def test_directions_of_nothing_are_refused(evidence, draw):
    with pytest.raises(me.EvidenceError, match="name the syntheses"):
        draw(evidence)
    with pytest.raises(me.EvidenceError, match="did you mean `skin-hydration-direction`"):
        draw(evidence, "skin-hydration-directon")
    with pytest.raises(me.EvidenceError, match="no finding"):
        draw(pd.DataFrame({"study": [], "outcome": [], "direction": []}))


# L'Abbé and Baujat --------------------------------------------------------------------------------


def test_areas_of_a_labbe_plot_are_in_the_ratio_of_weights_and_discs_stand_at_their_risks(bcg):
    figure = me.labbe(bcg).figure
    discs = drawn.marks(figure, "study")
    order = sorted(range(13), key=lambda place: -bcg.weights[place])
    (axis,), (up,) = drawn.marks(figure, "axis"), drawn.marks(figure, "upright")
    spots = {place: middle(mark) for place, mark in zip(order, discs, strict=True)}

    sizes = np.array([wide(mark) ** 2 for mark in discs])
    assert np.allclose(sizes / sizes[0], np.array(bcg.weights)[order] / max(bcg.weights), rtol=1e-6)
    risks = pd.DataFrame({"x": BCG["ci"] / (BCG["ci"] + BCG["di"]), "y": BCG["ai"] / (BCG["ai"] + BCG["bi"])})
    across = np.polyfit(risks["x"], [spots[place][0] for place in range(13)], 1)
    down = np.polyfit(risks["y"], [spots[place][1] for place in range(13)], 1)
    assert np.allclose(np.polyval(across, risks["x"]), [spots[place][0] for place in range(13)])
    assert math.isclose(across[0], -down[0], rel_tol=1e-6)  # one scale on both axes
    assert math.isclose(axis[1][0] - axis[0][0], up[0][1] - up[1][1], rel_tol=1e-6)


def test_a_labbe_plot_needs_counts_of_two_groups():
    frame = pd.DataFrame({"yi": [0.1, 0.2, 0.3], "vi": [0.1, 0.1, 0.1]})

    with pytest.raises(me.EvidenceError, match="events and people of two groups"):
        me.labbe(me.pool(frame))


def test_a_baujat_plot_has_the_numbers_of_metafor(bcg):
    found = me.baujat(bcg).data[["differs", "influence"]].to_numpy(dtype=float)

    assert np.allclose(found, BAUJAT, rtol=1e-7)


def test_a_baujat_plot_is_refused_where_the_rest_has_no_standard_error():
    frame = pd.DataFrame({"slab": ["A", "B", "C"], "yi": [0.1, 0.1, 0.5], "vi": [0.04] * 3})

    with pytest.raises(me.EvidenceError, match="without 'C' the effects are identical"):
        me.baujat(me.pool(frame))
    assert me.baujat(me.pool(frame, test="z")).data["influence"].notna().all()


def test_a_harvest_plot_is_as_wide_as_its_bars_need():
    ways = ["increase", "decrease", "no-difference", "mixed"] * 15
    table = pd.DataFrame({"study": [f"S {n}" for n in range(60)], "outcome": "o", "direction": ways})

    assert len(drawn.marks(me.harvest(table).figure, "bar")) == 60
    with pytest.raises(me.EvidenceError, match="take a wider page"):
        me.harvest(table, width="single")


def test_a_baujat_plot_of_two_studies_is_refused():
    with pytest.raises(me.EvidenceError, match="three studies or more, not 2"):
        me.baujat(me.pool(BCG.head(2), measure="RR"))


# All ----------------------------------------------------------------------------------------------


@st.composite
def tables(draw):
    """Return studies of two groups with any names and counts, and directions of any kind."""
    k = draw(st.integers(3, 12))
    names = draw(st.lists(NAMES, min_size=k, max_size=k))
    sizes = draw(st.lists(st.sampled_from([2, 10, 300, 90000]), min_size=k, max_size=k))
    events = [draw(st.integers(0, size)) for size in sizes]
    others = [draw(st.integers(0, size)) for size in sizes]
    ways = draw(st.lists(st.sampled_from(["increase", "decrease", "mixed", "no-difference", None]),
                         min_size=k, max_size=k))  # fmt: skip
    year = draw(st.lists(st.integers(1900, 2026), min_size=k, max_size=k))
    return pd.DataFrame({
        "slab": names, "ai": events, "n1i": sizes, "ci": others, "n2i": sizes, "year": year,
        "study": range(k), "direction": ways,
    })  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables())
def test_whatever_the_studies_no_text_overlaps_or_leaves_the_page(width, table):
    pooled = me.pool(table.drop(columns="direction"), measure="OR")
    findings = table.assign(study=table["slab"], outcome=[["a", "b " * 30][n % 2] for n in range(len(table))])
    draws = [
        lambda: me.labbe(pooled, width=width),
        lambda: me.baujat(pooled, width=width),
        lambda: me.timeline(pooled, year="year", events={1950: "x" * 70}, width=width),
        lambda: me.effect_direction(findings, width=width),
        lambda: me.harvest(findings, width=width),
    ]
    for draw in draws:
        try:
            chart = draw()
        except me.EvidenceError as error:
            assert str(error)  # refused with a reason: a name where no study is, a page that is too narrow
            continue
        for figure in chart.figures:
            assert drawn.collisions(figure) == []
            assert drawn.strays(figure) == []
