import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import mesoevidence as me
from mesoevidence.findings import anticipated
from mesoevidence.layouts import difference
from mesoevidence.targets import Limits
from tests import ledgers

GOLDEN = json.loads((Path(__file__).parent / "golden/findings.json").read_text(encoding="utf-8"))
GRADED = """\
certainty:
  system: grade
  start: {level: high, why: "one randomised trial"}
  threshold: no-effect
  risk_of_bias: {down: 1, why: "nobody was blind"}
  inconsistency: {down: 0}
  indirectness: {down: 0}
  imprecision: {down: 1, why: "forty people"}
  publication_bias: {down: 0}
  overall: {judgement: low, why: "two steps", by: mesoevidence, on: 2026-01-31}
"""
SYNTHESIS = f"{ledgers.SYNTHESIS}{GRADED}"


def summary(folder, changes=None, **asked):
    """Return the summary of findings of the small ledger, graded, with some files changed."""
    changed = {"evidence/syntheses/tea-v-water.yaml": SYNTHESIS, **(changes or {})}
    evidence = ledgers.evidence(folder, changed)
    return me.summary_of_findings(evidence, **(asked or {"ids": "tea-v-water"}))


def written(found, folder, suffix, which="both"):
    return found.save(folder / f"out{suffix}", which).read_bytes()


def with_baseline(risk):
    """Return the small synthesis with a recorded risk without the intervention."""
    place = f'{{ref: smith2001, at: "table 1", method: reported, figures: "{risk}"}}'
    return {"evidence/syntheses/tea-v-water.yaml": f"{SYNTHESIS}baseline: {{risk: {risk}, from: {place}}}\n"}


class Shown(HTMLParser):
    """Collects tags, attributes and the text that a reader sees, style sheets apart."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self._open = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data


# What the numbers are ---------------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN["risks"], ids=lambda row: f"{row['without']} x {row['effect'][0]}")
def test_a_risk_with_the_intervention_is_what_published_tables_print(row):
    """Their risk without is rounded too, so the printed one lies between those of its two ends."""
    for end, printed in zip(("estimate", "low", "high"), row["with"], strict=False):
        ends = (
            anticipated(row["measure"], Limits(*row["effect"]), (row["without"] + off) / 1000, "")
            for off in (-0.5, 0.5)
        )
        low, high = (math.floor(1000 * getattr(risks.treated, end) + 0.5) for risks in ends)
        assert low <= printed <= high


def test_events_of_persons_give_the_printed_risks_to_the_last_digit():
    """77 of 555 with placebo, RR 1.93 (1.51 to 2.47): doi:10.1002/14651858.CD007628.pub4."""
    risks = anticipated("RR", Limits(1.93, 1.51, 2.47), 77 / 555, "")

    assert [math.floor(1000 * risk + 0.5) for risk in risks.treated] == [268, 209, 343]


@pytest.mark.parametrize("row", GOLDEN["differences"], ids=lambda row: row["measure"])
def test_a_difference_is_what_the_handbook_computes(row):
    risks = anticipated(row["measure"], Limits(*[row["effect"]] * 3), row["without"], "")

    assert round(1000 * risks.difference.estimate) == row["difference"]


@pytest.mark.parametrize("row", GOLDEN["profiles"], ids=lambda row: row["outcome"])
def test_a_published_profile_comes_out_in_its_own_words(row, tmp_path):
    estimate, low, high = row["effect"]
    treated, compared = row["persons"]
    study = f"""\
id: smith-2001
reports: [smith2001]
design: rct
read: abstract
population: [adults]
arms: {{tea: {{intervention: green-tea, n: {treated}}}, water: {{intervention: water, n: {compared}}}}}
results:
  - id: evening
    outcome: reaction-time
    effect: {{measure: MD, estimate: {estimate}, ci: [{low}, {high}], level: 0.95}}
    from: {{ref: smith2001, at: table, method: reported, figures: "{estimate} ({low} to {high})"}}
"""
    parts = "".join(
        f'  {name}: {{down: {row["downs"].get(name, 0)}, why: "as printed"}}\n'
        for name in ("risk_of_bias", "inconsistency", "indirectness", "imprecision", "publication_bias")
    )
    synthesis = (
        ledgers.SYNTHESIS.replace("outcome: awake", "outcome: reaction-time").replace(
            "measure: RR, method: REML, test: knha", "measure: MD, method: EE, test: z"
        )
        + 'certainty:\n  system: grade\n  start: {level: high, why: "trials"}\n'
        + f"{parts}  overall: {{judgement: {row['certainty']}, why: printed, by: mesoevidence, "
        + "on: 2026-01-31}\n"
    )
    changes = {
        "evidence/studies/smith-2001.yaml": study,
        "evidence/syntheses/tea-v-water.yaml": synthesis,
        "evidence/claims/tea-keeps-awake.yaml": None,
    }

    found = summary(tmp_path, changes)
    profile = found.profile.iloc[0]

    words = [profile[name] for name in ("risk_of_bias", "inconsistency", "indirectness", "imprecision")]
    assert words == row["words"]
    assert profile["other"] == "none"
    assert (profile["intervention_n"], profile["comparator_n"]) == (treated, compared)
    # the printed interval is rounded and so not quite symmetric, the one computed from it is
    shown = found.table.iloc[0][["estimate", "ci_low", "ci_high"]]
    assert shown.tolist() == pytest.approx(row["effect"], abs=0.011)
    assert difference("MD", Limits(*row["effect"]), None) == f"MD {row['said']}"
    assert profile["certainty"] == row["certainty"]


def test_the_risk_without_comes_from_the_record_with_its_place(tmp_path):
    found = summary(tmp_path, with_baseline("0.1"))

    row = found.table.iloc[0]
    assert row["comparator_risk"] == 100
    assert row["baseline_source"] == "from Smith 2001, table 1"
    assert row["intervention_risk"] == pytest.approx(240)  # RR 12/20 over 5/20 = 2.4


def test_without_a_record_the_risk_is_that_of_the_comparison_arms_and_says_so(tmp_path):
    row = summary(tmp_path).table.iloc[0]

    assert row["comparator_risk"] == 250
    assert row["baseline_source"] == "5 of 20 in the comparison arms of the included studies"


def test_no_more_than_all_of_a_thousand_and_never_silently(tmp_path):
    found = summary(tmp_path, with_baseline("0.5"))

    row = found.table.iloc[0]
    assert (row["intervention_risk"], row["risk_high"]) == (1000, 1000)
    assert "1200 per 1000 (shown as 1000)" in found.warnings[0]
    assert "1200 per 1000 (shown as 1000)" in written(found, tmp_path, ".md").decode()


@pytest.mark.parametrize(("persons", "said"), [(0.0002, "fewer than 1 per 1000"), (0.0005, "1 per 1000")])
def test_a_small_risk_is_not_called_none(persons, said, tmp_path):
    found = summary(tmp_path, with_baseline(f"{persons}"))

    assert f">{said}<" in found._repr_html_()


def test_a_study_that_was_not_pooled_has_a_row_that_says_so(tmp_path):
    narrative = SYNTHESIS.replace(
        "analysis: {measure: RR, method: REML, test: knha, fixed_on: 2026-01-31}",
        'narrative: {why: "no spreads were seen", by: direction}',
    )
    found = summary(tmp_path, {"evidence/syntheses/tea-v-water.yaml": narrative})

    assert "Not pooled: no spreads were seen." in found._repr_html_()
    assert found.table["estimate"].isna().all()
    assert found.profile["relative"].isna().all()


def test_not_graded_and_not_yet_judged_are_told_apart(tmp_path):
    ungraded = ledgers.SYNTHESIS + 'certainty: {system: none, why: "cases only"}\n'
    for text, said in ((ungraded, "Not graded"), (ledgers.SYNTHESIS, "Not yet judged")):
        found = summary(tmp_path / said.replace(" ", "-"), {"evidence/syntheses/tea-v-water.yaml": text})
        assert said in Shown(found._repr_html_()).text
        assert "⊕" not in found._repr_html_()


def test_each_step_down_has_a_letter_and_the_letter_its_reason(tmp_path):
    text = written(summary(tmp_path, with_baseline("0.1")), tmp_path, ".md").decode()

    assert "⊕⊕◯◯<br>**Low**<sup>b,c</sup><br>draft, unreviewed" in text
    assert "**b.** Risk of bias, one level down: nobody was blind." in text
    assert "serious<sup>b</sup>" in text
    assert "serious<sup>c</sup>" in text


def test_a_reviewed_judgement_is_not_called_a_draft(tmp_path):
    reviewed = SYNTHESIS.replace(
        "id: tea-v-water", "id: tea-v-water\nstatus: reviewed\nreviewed_by: Bo Jones"
    )
    found = summary(tmp_path, {"evidence/syntheses/tea-v-water.yaml": reviewed})

    assert "unreviewed" not in written(found, tmp_path, ".html").decode()


def test_continuous_outcomes_have_their_unit_and_the_means_of_the_comparison():
    found = me.summary_of_findings(me.load(), ids="topical-minoxidil-v-placebo-density")

    text = Shown(found._repr_html_()).text
    assert "MD 15.98 hairs/cm2 higher" in text
    assert "The means were 3.90 to 9.40 hairs/cm2" in text


def test_a_standardised_difference_is_explained(tmp_path):
    study = ledgers.STUDY.replace("outcome: awake", "outcome: reaction-time").replace(
        """      tea: {events: 12, n: 20}
      water: {events: 5, n: 20}""",
        """      tea: {mean: 300, sd: 40, n: 20}
      water: {mean: 330, sd: 40, n: 20}""",
    )
    synthesis = SYNTHESIS.replace("outcome: awake", "outcome: reaction-time").replace("RR", "SMD")
    found = summary(
        tmp_path,
        {"evidence/studies/smith-2001.yaml": study, "evidence/syntheses/tea-v-water.yaml": synthesis},
    )

    text = written(found, tmp_path, ".md").decode()
    assert "SMD 0.74 SD lower<br>(1.38 lower to 0.09 lower)" in text
    assert "counts in standard deviations" in text
    assert "SMD: standardised mean difference" in text


def test_what_raises_certainty_and_what_was_not_published_stand_under_other(tmp_path):
    graded = SYNTHESIS.replace("publication_bias: {down: 0}", 'publication_bias: {down: 1, why: "one maker"}')
    graded = graded.replace("  overall", '  large_effect: {up: 2, why: "RR above 5"}\n  overall')
    found = summary(tmp_path, {"evidence/syntheses/tea-v-water.yaml": graded})

    assert found.profile["other"].tolist() == ["publication bias suspected; very large effect"]


def test_several_comparisons_each_head_their_rows_and_the_judged_come_first():
    found = me.summary_of_findings(me.load(), topic="hair-loss")

    judged = [item.certainty.level is not None for item in found.findings]
    assert judged == sorted(judged, reverse=True)
    assert found.findings[0].certainty.synthesis == "meso-v-saline-response"  # most claims rest on it
    assert found._repr_html_().count('<th scope="rowgroup"') == len(
        {f.comparison.sides for f in found.findings}
    )


def test_more_outcomes_than_usual_are_said():
    found = me.summary_of_findings(me.load(), topic="hair-loss")

    assert f"{len(found.findings)} outcomes stand here, where at most 7 are usual" in found.warnings[0]


def test_ids_come_in_the_order_asked_and_once():
    asked = ["meso-v-saline-response", "collagen-on-biopsy", "meso-v-saline-response"]

    found = me.summary_of_findings(me.load(), ids=asked)

    assert found.table["synthesis"].tolist() == asked[:2]
    assert repr(found) == "<SummaryOfFindings Hair loss; Dry skin: 2 outcomes>"


def test_tables_keep_their_columns_and_types_for_every_body():
    evidence = me.load()
    one, all_of_it = (
        me.summary_of_findings(evidence, ids=ids)
        for ids in ("scalp-mesotherapy-pain", list(evidence.syntheses))
    )

    assert dict(one.table.dtypes) == dict(all_of_it.table.dtypes)
    assert dict(one.profile.dtypes) == dict(all_of_it.profile.dtypes)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "name a topic, or the ids"),
        ({"topic": "tea", "ids": "tea-v-water"}, "name a topic, or the ids"),
        ({"topic": "coffee"}, "there is no topic 'coffee'"),
        ({"ids": "tea-v-watr"}, "did you mean `tea-v-water`"),
        ({"ids": []}, "there is no synthesis"),
    ],
)
def test_what_cannot_be_given_is_one_clear_sentence(asked, said, tmp_path):
    with pytest.raises(me.EvidenceError, match=re.escape(said)):
        me.summary_of_findings(ledgers.evidence(tmp_path), **asked)


@pytest.mark.parametrize("name", ["x.pdf", "x", "x.HTML"])
def test_an_unknown_form_names_those_there_are(name, tmp_path):
    with pytest.raises(me.EvidenceError, match=r"\.html, \.md, \.tex, \.docx, \.xlsx, \.csv"):
        summary(tmp_path / "ledger").save(tmp_path / name)


def test_a_folder_that_is_not_there_is_one_clear_sentence(tmp_path):
    with pytest.raises(me.EvidenceError, match="cannot be written"):
        summary(tmp_path).save(tmp_path / "nowhere/x.docx")
