"""What funnels, lights, bars, verdicts and overclaims show is what the data say."""

import math
import re

import pandas as pd
import pytest

import mesoevidence as me
from mesoevidence.appraisal import TOOLS
from tests import drawn, ledgers
from tests.test_charts_forest import BCG


@pytest.fixture(scope="module")
def bcg():
    return me.pool(BCG, measure="RR")


def bias(tool, studies=("A", "B", "C")):
    """Return judgements by every domain of a tool, each level in turn."""
    levels = TOOLS[tool].levels or ("low", "high")
    rows = [
        (study, tool, domain, levels[(place + number) % len(levels)])
        for place, study in enumerate(studies)
        for number, domain in enumerate(TOOLS[tool].domains or ("own",))
    ]
    overall = TOOLS[tool].overall or ("low",)
    rows += [(study, tool, "overall", overall[place % len(overall)]) for place, study in enumerate(studies)]
    return pd.DataFrame(rows, columns=["study", "tool", "domain", "judgement"])


def test_each_study_of_a_funnel_stands_at_its_effect_and_standard_error(bcg):
    figure = me.funnel(bcg).figure
    spots = [drawn.bounds(mark) for mark in drawn.marks(figure, "study")]
    (axis,) = drawn.marks(figure, "upright")
    deepest, lowest = max(zip(bcg.vi, spots, strict=True)), min(zip(bcg.vi, spots, strict=True))

    assert len(spots) == 13
    assert deepest[1][1] > lowest[1][1]
    ratio = (deepest[1][1] + deepest[1][3] - 2 * axis[0][1]) / (lowest[1][1] + lowest[1][3] - 2 * axis[0][1])
    assert math.isclose(ratio, math.sqrt(deepest[0] / lowest[0]), rel_tol=1e-6)


def test_a_funnel_of_ten_studies_prints_the_test_and_one_of_fewer_says_that_it_cannot_tell(bcg):
    # metafor 3.8, regtest(rma(yi, vi, data=dat, test="knha")): t = -0.7812, df = 11, p = 0.4512
    assert "Egger's regression test: t(11) = −0.78 (p = 0.451)." in drawn.words(me.funnel(bcg).figure)

    few = me.funnel(me.pool(BCG.head(4), measure="RR"))

    assert any(word.startswith("Fewer than 10 studies (4)") for word in drawn.words(few.figure))
    assert not any("Egger" in word for word in drawn.words(few.figure))


def test_that_asymmetry_cannot_be_judged_is_in_ink_and_the_result_of_a_test_is_not(bcg):
    few = drawn.colours(me.funnel(me.pool(BCG.head(4), measure="RR")).figure)
    many = drawn.colours(me.funnel(bcg).figure)
    title = "Risk ratio (log\xa0scale)"

    assert few["Fewer than 10 studies (4): asymmetry cannot be judged."] == few[title]
    assert many["Egger's regression test: t(11) = −0.78 (p = 0.451)."] != many[title]


def test_each_group_of_a_funnel_has_a_line_of_the_legend_where_it_stands_beside(bcg):
    groups = ["random", "alternate", "systematic"]
    beside = {
        text: place for text, *place in drawn.boxes(me.funnel(bcg, by="alloc").figure) if text in groups
    }

    assert len({left for left, *_ in beside.values()}) == 1
    assert sorted(beside, key=lambda name: beside[name][1]) == groups


def test_ticks_that_come_closer_and_closer_are_fewer(bcg):
    words = drawn.words(me.forest(me.leave_one_out(bcg), favours=("Favours vaccine", "Favours none")).figure)

    assert {"0.5", "1", "1.5"} <= set(words)
    assert not {"1.2", "1.4"} & set(words)


def test_an_interval_wider_than_any_number_is_drawn_at_once():
    frame = pd.DataFrame({"yi": [1.0, 0.5], "vi": [1e300, 0.1]})

    assert "nothing is pooled" in me.forest(frame, measure="RR").alt


def test_small_standard_errors_have_room_for_their_long_numbers():
    frame = pd.DataFrame({"yi": [0.001, 0.002, -0.001], "vi": [1e-6, 2e-6, 1e-6]})

    assert drawn.collisions(me.funnel(me.pool(frame, measure="RR")).figure) == []


def test_filled_studies_are_hollow_and_counted(bcg):
    filled = me.trim_and_fill(bcg)
    figure = me.funnel(bcg, fill=filled).figure

    assert len(drawn.marks(figure, "filled")) == filled.missing > 0
    assert any(word.startswith("Trim and fill: 1 on the right") for word in drawn.words(figure))


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_its_lights_its_key_and_its_legend(tool):
    chart = me.traffic_light(bias(tool))
    words = drawn.words(chart.figure)

    assert len(drawn.marks(chart.figure, "light")) >= 3 * len(chart.data.columns[1:])
    assert set(TOOLS[tool].domains.values()) <= set(words)
    assert TOOLS[tool].label in chart.alt
    assert drawn.collisions(chart.figure) == []


def test_studies_judged_by_different_tools_stand_in_blocks_each_with_its_own_domains():
    mixed = pd.concat([bias("rob2", ("A", "B")), bias("robins-i-v1", ("C",))])
    chart = me.traffic_light(mixed)
    words = drawn.words(chart.figure)

    assert [word for word in words if word in ("RoB 2", "ROBINS-I", "A", "B", "C")][:5] == [
        "RoB 2", "A", "B", "ROBINS-I", "C"
    ]  # fmt: skip
    assert {*TOOLS["rob2"].domains.values(), *TOOLS["robins-i-v1"].domains.values()} <= set(words)
    assert list(chart.data["tool"]) == ["RoB 2", "RoB 2", "ROBINS-I"]
    assert drawn.collisions(chart.figure) == []
    lone = me.traffic_light(mixed, tool="robins-i-v1")
    assert list(lone.data.columns) == ["study", *TOOLS["robins-i-v1"].domains.values(), "Overall"]


@pytest.mark.parametrize("draw", [me.traffic_light, me.bias_bars])
def test_lights_also_come_in_the_colours_of_robvis_with_the_same_signs(draw):
    own, known = draw(bias("rob2")), draw(bias("rob2"), palette="cochrane")
    signs = [len(drawn.marks(chart.figure, "sign")) for chart in (own, known)]

    assert {"#02c100", "#e2df07", "#bf0000"} <= set(re.findall(r"#[0-9a-f]{6}", known.svg()))
    assert signs[0] == signs[1] > 0
    with pytest.raises(me.EvidenceError, match="`palette` is own or cochrane, not 'robvis'"):
        draw(bias("rob2"), palette="robvis")


def test_confidence_in_a_review_is_good_where_it_is_high():
    table = pd.DataFrame({"study": ["A"], "tool": "amstar2", "domain": "overall", "judgement": "high"})

    assert "High confidence" in drawn.words(me.traffic_light(table).figure)


def test_a_study_judged_for_two_results_has_two_rows():
    table = pd.DataFrame(
        {"study": ["A", "A"], "result": ["x", None], "domain": "d", "judgement": ["low", "high"]}
    )

    assert list(me.traffic_light(table).data["study"]) == ["A (x)", "A (whole study)"]


def test_the_ledger_has_lights_of_its_own():
    assert me.traffic_light(me.load(), tool="rob2").data["study"].str.len().min() > 3


def test_bars_add_up_and_weights_change_their_lengths():
    table = pd.DataFrame({"study": ["A", "B", "C"], "domain": "d", "judgement": ["low", "low", "high"]})
    plain, weighted = me.bias_bars(table), me.bias_bars(table, weights={"A": 1, "B": 1, "C": 8})
    lengths = [[right - left for left, _, right, _ in map(drawn.bounds, drawn.marks(chart.figure, "bar"))]
               for chart in (plain, weighted)]  # fmt: skip

    assert math.isclose(lengths[0][0] / lengths[0][1], 2)
    assert math.isclose(lengths[1][1] / lengths[1][0], 4)
    assert weighted.data["percent"].sum() == 100
    assert "80%" in drawn.words(weighted.figure)


@pytest.mark.parametrize("width", ["natural", "double", "single"])
def test_no_part_of_a_bar_speaks_by_colour_alone(width):
    table = pd.concat([bias("rob2", [f"S{n}" for n in range(k)]).assign(domain=f"d{k}") for k in (2, 5, 13)])
    chart = me.bias_bars(table.drop_duplicates(["study", "domain"]), width=width)
    lit = [drawn.bounds(light) for light in drawn.marks(chart.figure, "light")]
    parts = [drawn.bounds(bar) for bar in drawn.marks(chart.figure, "bar")]

    assert len(parts) == len(chart.data) > 6
    for left, top, right, bottom in parts:
        assert sum(left < a and top < b and c < right and d < bottom for a, b, c, d in lit) == 1


def test_the_matrix_shows_every_claim_once_with_its_verdict():
    evidence = me.load().select(topic="hair-loss")
    chart = me.verdict_matrix(evidence)
    claims = evidence.table("claims").query("kind != 'background'")

    assert list(chart.data["claim"]) == list(claims["claim"])
    assert list(chart.data["verdict"]) == list(claims["verdict"].astype(object).fillna("not-assessed"))
    assert sum(len(drawn.marks(figure, "cell")) for figure in chart.figures) >= len(claims)


def test_a_gap_is_as_long_as_the_words_exceed_the_evidence_and_the_widest_comes_first():
    table = pd.DataFrame(
        {
            "says": ["one", "three", "none"],
            "wording": ["possible", "certain", "possible"],
            "evidence_strength": ["very-low", "none", "low"],
            "overclaim": [1, 3, 0],
            "verdict": "insufficient",
        }
    )
    chart = me.overclaim(table)
    gaps = [right - left for left, _, right, _ in map(drawn.bounds, drawn.marks(chart.figure, "gap"))]

    assert list(chart.data["says"]) == ["three", "one", "none"]
    assert math.isclose(gaps[0] / gaps[1], 3)
    assert len(gaps) == 2
    assert list(me.overclaim(table, sort="text").data["says"]) == ["one", "three", "none"]


def test_an_audit_has_its_chart():
    chart = me.audit(me.load(), "vigorfocus2023").chart

    assert chart.title.endswith("wording against evidence")
    assert len(drawn.marks(chart.figure, "gap")) > 10
    assert len(chart.rows) == len(chart.data)


def claimed(tmp_path, wording="certain", certainty=None, **changed):
    """Return a ledger of one claim, worded so, whose evidence is so certain."""
    claim = ledgers.CLAIM.replace("wording: certain", f"wording: {wording}")
    if certainty:
        claim = claim.replace("study: smith-2001", "synthesis: tea-v-water")
        claim = claim.replace("size: large", "size: not-stated")
    for old, new in changed.items():
        claim = re.sub(rf"^{old}: .*$", f"{old}: {new}", claim, flags=re.M)
    overall = f"overall: {{judgement: {certainty}, why: x, by: mesoevidence, on: 2026-01-31}}"
    judged = ledgers.SYNTHESIS + (f"certainty: {{system: grade, {overall}}}\n" if certainty else "")
    files = {"evidence/claims/tea-keeps-awake.yaml": claim, "evidence/syntheses/tea-v-water.yaml": judged}
    return ledgers.evidence(tmp_path, files)


def marked(chart, kind):
    """Return the marks of a kind but for the one in the legend."""
    return drawn.marks(chart.figure, kind)[:-1]


@pytest.mark.parametrize("wording", ["certain", "probable", "possible"])
@pytest.mark.parametrize("certainty", ["high", "moderate", "low", "very-low"])
def test_at_a_glance_a_claim_is_a_diamond_just_where_its_wording_exceeds_what_is_allowed(
    tmp_path, wording, certainty
):
    evidence = claimed(tmp_path, wording, certainty)
    chart = me.overclaim(evidence)
    steps = me.conclude(evidence, "tea-keeps-awake").overclaim

    assert (len(marked(chart, "beyond")), len(marked(chart, "within"))) == ((1, 0) if steps else (0, 1))
    assert len(drawn.marks(chart.figure, "step-beyond")) - 1 == steps
    assert list(chart.data["steps_beyond"]) == [steps]


def test_it_is_said_how_many_claims_are_worded_so_by_a_heading_alone(tmp_path):
    line = next(line for line in ledgers.CLAIM.splitlines() if "source:" in line)
    heading = line.replace("paragraph 2", "section 1, heading")
    weaker = line.replace("wording: certain", "wording: possible")
    cases = {"heading": 1, "heading weaker": 1, "line": 0, "heading line": 0}
    for case, alone in cases.items():
        places = "\n".join(
            {"heading": heading, "weaker": weaker, "line": line}[word] for word in case.split()
        )
        changed = {"evidence/claims/tea-keeps-awake.yaml": ledgers.CLAIM.replace(line, places)}
        evidence = ledgers.evidence(tmp_path / case.replace(" ", "-"), changed)
        for chart in (me.overclaim(evidence), me.audit(evidence, "magazine2020").chart):
            said = " ".join(drawn.words(chart.figure))
            assert said.count("1 by a heading alone") == said.count("by a heading alone") == alone


def test_what_is_looked_up_is_left_out_of_the_glance_and_an_empty_one_is_an_empty_grid(tmp_path):
    chart = me.overclaim(claimed(tmp_path, asserts="fact"))

    assert marked(chart, "beyond") + marked(chart, "within") == []
    assert chart.alt.startswith("0 of 0 claims")
    assert len(drawn.marks(chart.figure, "cell")) == 15


def test_at_a_glance_each_of_hundreds_of_claims_has_its_mark_in_its_cell(tmp_path):
    changes = {
        f"evidence/claims/tea-{n}.yaml": ledgers.CLAIM.replace("id: tea-keeps-awake", f"id: tea-{n}")
        for n in range(400)
    }
    chart = me.overclaim(ledgers.evidence(tmp_path, changes))
    places = [drawn.bounds(mark) for mark in marked(chart, "beyond")]
    cells = [drawn.bounds(cell) for cell in drawn.marks(chart.figure, "cell")]

    assert len(set(places)) == 401
    assert sum(all(left <= a and top <= b and c <= right and d <= bottom for a, b, c, d in places)
               for left, top, right, bottom in cells) == 1  # fmt: skip
    assert chart.alt.startswith("401 of 401 claims are worded more strongly than their evidence allows")


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: me.traffic_light(pd.DataFrame({"a": [1]})), "there is no column `study`"),
        (lambda: me.bias_bars(pd.concat([bias("rob2"), bias("jbi")])), "name one with `tool`"),
        (lambda: me.traffic_light(bias("amstar2"), width="single"), "do not fit on a page"),
        (lambda: me.bias_bars(bias("rob2"), weights={"A": 1}), "there is no weight of 'B'"),
        (lambda: me.overclaim(pd.DataFrame({"says": ["x"]})), "there is no column `wording`"),
        (
            lambda: me.verdict_matrix(me.load().select(claim="hair-loss-is-called-alopecia")),
            "no claim to show",
        ),
        (lambda: me.funnel(me.pool(BCG, measure="RR"), by="slab"), "has 13 values"),
        (lambda: me.bias_bars(bias("rob2").assign(judgement=None)), "no `judgement`; what was not judged is"),
        (lambda: me.traffic_light(bias("rob2").assign(domain=None)), "a row has no `domain`"),
        (lambda: me.verdict_matrix(pd.DataFrame()), "shows evidence, such as .*, not DataFrame"),
        (lambda: me.evidence_map(pd.DataFrame()), "shows evidence, such as .*, not DataFrame"),
        (lambda: me.effect_direction(None), "shows evidence, such as .*, not NoneType"),
        (
            lambda: me.forest(pd.DataFrame({"yi": [1e300], "vi": [1e-300]}), measure="RR"),
            "'study 1' is beyond every number; is it a log",
        ),
        (lambda: me.forest(BCG, measure="RR", hide=["light"]), "did you mean `lights`"),
        (lambda: me.forest(BCG, measure="RR", hide=["zzz"]), "'zzz' to hide; one of arms, extra"),
    ],
)
def test_what_cannot_be_drawn_is_said(ask, words):
    with pytest.raises(me.EvidenceError, match=words):
        ask()
