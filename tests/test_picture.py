import re
from xml.etree import ElementTree as ET

import pytest

import mesoevidence as me
from mesoevidence import picture
from tests import ledgers

MARK = "{http://www.w3.org/2000/svg}circle"
BEYOND, WITHIN = "#ffffff", "#08519c"


def marks(tmp_path, wording="certain", certainty=None, **changed):
    claim = ledgers.CLAIM.replace("wording: certain", f"wording: {wording}")
    if certainty:
        claim = claim.replace("study: smith-2001", "synthesis: tea-v-water")
        claim = claim.replace("size: large", "size: not-stated")
    for old, new in changed.items():
        claim = re.sub(rf"^{old}: .*$", f"{old}: {new}", claim, flags=re.M)
    overall = f"overall: {{judgement: {certainty}, why: x, by: mesoevidence, on: 2026-01-31}}"
    judged = (
        ledgers.SYNTHESIS + f"certainty: {{system: grade, {overall}}}\n" if certainty else ledgers.SYNTHESIS
    )
    evidence = ledgers.evidence(
        tmp_path,
        {"evidence/claims/tea-keeps-awake.yaml": claim, "evidence/syntheses/tea-v-water.yaml": judged},
    )
    drawing = ET.fromstring(me.wording_picture(evidence).svg)
    shown = [mark.get("fill") for mark in drawing.iter(MARK)][:-2]  # the last two are the legend
    return evidence, shown


@pytest.mark.parametrize("wording", ["certain", "probable", "possible"])
@pytest.mark.parametrize("certainty", ["high", "moderate", "low", "very-low"])
def test_a_mark_is_filled_where_the_wording_is_allowed(tmp_path, wording, certainty):
    evidence, shown = marks(tmp_path, wording, certainty)

    overclaim = me.conclude(evidence, "tea-keeps-awake").overclaim
    assert shown == [BEYOND if overclaim else WITHIN]


def test_what_is_looked_up_is_left_out(tmp_path):
    _, shown = marks(tmp_path, asserts="fact")

    assert shown == []


def test_each_claim_has_one_mark_and_none_leaves_its_cell(tmp_path):
    changes = {
        f"evidence/claims/tea-{n}.yaml": ledgers.CLAIM.replace("id: tea-keeps-awake", f"id: tea-{n}")
        for n in range(400)
    }

    drawing = ET.fromstring(me.wording_picture(ledgers.evidence(tmp_path, changes)).svg)

    places = [(float(mark.get("cx")), float(mark.get("cy"))) for mark in drawing.iter(MARK)][:-2]
    assert len(set(places)) == 401
    columns = [(x - picture._LEFT) // picture._WIDE for x, _ in places]
    rows = [(y - picture._TOP) // picture._HIGH for _, y in places]
    assert len(set(columns)) == len(set(rows)) == 1


def test_the_words_say_what_is_drawn(tmp_path):
    drawn = me.wording_picture(ledgers.evidence(tmp_path))

    assert drawn.alt.startswith("1 of 1 claims are worded more strongly than their evidence allows")
    assert drawn.alt in repr(drawn)
    assert drawn.svg in drawn._repr_html_()


def test_an_empty_ledger_draws_an_empty_grid(tmp_path):
    drawn = me.wording_picture(ledgers.evidence(tmp_path, {"evidence/claims/tea-keeps-awake.yaml": None}))

    assert "0 of 0 claims" in drawn.alt
