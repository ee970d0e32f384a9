import html
import io
import json
import math
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import mistune
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import mesoevidence as me
from mesoevidence import escape
from mesoevidence.findings import anticipated
from mesoevidence.layouts import difference
from mesoevidence.targets import Limits
from tests import ledgers

GOLDEN = json.loads((Path(__file__).parent / "golden/findings.json").read_text(encoding="utf-8"))
SUFFIXES = (".html", ".md", ".tex", ".docx", ".xlsx", ".csv")
HOSTILE = (
    "=1+1 | <script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) "
    r"`code` *b* _i_ \input{/etc/passwd} \write18{ls} $\frac{1}{2}$ 50 % & # ^ ~ {{ 7 * 7 }} "
    "https://example.org a@example.org --- ''q'' </td></tr></table> \"'> é µ ≥ 中"
)
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


TABLE = ("table", "thead", "tbody", "tr", "th", "td")


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


# What every format keeps ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a summary in which every text of a record is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    text = json.dumps(HOSTILE, ensure_ascii=False)  # YAML reads the double-quoted text of JSON
    topic = re.sub(r"label: [^,}\n]+", lambda _: f"label: {text}", ledgers.TOPIC)
    synthesis = SYNTHESIS.replace('"nobody was blind"', text).replace(
        "id: tea-v-water", f"id: tea-v-water\nlabel: {text}"
    )
    study = ledgers.STUDY.replace("    outcome: awake", f"    outcome: awake\n    time: {text}")
    found = summary(
        folder,
        {
            "evidence/topics/tea.yaml": topic,
            "evidence/syntheses/tea-v-water.yaml": synthesis,
            "evidence/studies/smith-2001.yaml": study,
        },
    )
    assert found.findings[0].follow_up == HOSTILE
    return found


def test_hostile_text_is_inert_in_html(hostile, tmp_path):
    page = written(hostile, tmp_path, ".html").decode()
    shown = Shown(page)

    allowed = "html head meta title style body main h1 section p strong table caption thead tbody tr th td "
    allowed += "br div span sup"
    assert set(shown.tags) <= set(allowed.split())
    allowed = "lang charset http-equiv content name class scope colspan rowspan aria-hidden scoped "
    allowed += "role aria-label tabindex"
    assert set(shown.attributes) <= set(allowed.split())
    assert HOSTILE in shown.text
    assert HOSTILE in Shown(hostile._repr_html_()).text


def test_a_table_in_html_has_a_caption_and_heads_with_scope(hostile):
    page = hostile._repr_html_()

    assert page.count("<caption>") == page.count("<table")
    assert re.findall(r"<th(?! scope=)", page.replace("<thead", "")) == []
    assert '<span class="symbol" aria-hidden="true">⊕⊕◯◯</span><br><strong>Low</strong>' in page
    assert not re.search(r"[^-]color: *(#|rgb|black|white)", page)  # light and dark are the page's own


def test_hostile_text_is_inert_in_markdown(hostile, tmp_path):
    text = written(hostile, tmp_path, ".md").decode()
    page = Shown(mistune.create_markdown(escape=False, plugins=["table", "url", "strikethrough"])(text))

    assert set(page.tags) <= {"h1", "ul", "li", "p", "strong", "br", "sup", *TABLE}
    assert not page.attributes or set(page.attributes) <= {"style"}
    assert HOSTILE in html.unescape(page.text)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {8, 15}


def test_no_cell_is_a_formula_in_excel(hostile, tmp_path):
    with zipfile.ZipFile(io.BytesIO(written(hostile, tmp_path, ".xlsx"))) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
        strings = "".join(ElementTree.fromstring(book.read("xl/sharedStrings.xml")).itertext())

    assert len(sheets) == 2
    assert not any(tag in sheet for sheet in sheets for tag in ("<f>", "<f ", "hyperlink"))
    assert HOSTILE in strings


def test_nothing_is_a_field_or_a_link_in_word(hostile, tmp_path):
    with zipfile.ZipFile(io.BytesIO(written(hostile, tmp_path, ".docx"))) as package:
        text = package.read("word/document.xml").decode()

    assert not any(tag in text for tag in ("instrText", "fldSimple", "fldChar", "w:hyperlink"))
    assert HOSTILE in "".join(ElementTree.fromstring(text).itertext())
    assert text.count("<w:tblHeader") == 4  # two lines of head, two tables


def test_the_properties_of_a_table_stand_in_the_order_that_word_asks_for(tmp_path):
    """ISO/IEC 29500-1, 17.4.60: Word may refuse a file in which they stand otherwise."""
    with zipfile.ZipFile(io.BytesIO(written(summary(tmp_path), tmp_path, ".docx"))) as package:
        root = ElementTree.fromstring(package.read("word/document.xml"))
    order = (
        "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing"
    )
    order = f"{order} tblInd tblBorders shd tblLayout tblCellMar tblLook".split()

    for properties in root.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}tblPr"):
        found = [child.tag.partition("}")[2] for child in properties]
        assert found == sorted(found, key=order.index)


def test_no_cell_is_a_formula_in_csv(hostile, tmp_path):
    text = written(hostile, tmp_path, ".csv").decode()
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)

    assert frame["outcome"].tolist() == [f"'{HOSTILE}"]
    assert not [value for value in frame.iloc[0] if value.startswith(("=", "+", "@", "|", "%"))]


def test_the_commands_of_a_hostile_text_do_not_reach_latex(hostile, tmp_path):
    text = written(hostile, tmp_path, ".tex").decode()

    assert r"\input" not in text
    assert r"\write" not in text
    assert "$" not in text.replace(r"\$", "")
    assert text.isascii()
    assert r"\known{}\known{}\unknown{}\unknown{}" in text


_BACK = {
    r"\textbackslash{}": "\\",
    r"\textasciicircum{}": "^",
    r"\textasciitilde{}": "~",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\textasciigrave{}": "`",
    r"\textquotedbl{}": '"',
    **{f"\\{sign}": sign for sign in "{}$&#%_"},
    "{}": "",  # keeps two signs from becoming one
}


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_every_character_of_ascii_maps_back_from_latex(text):
    escaped = escape.latex(text)
    pattern = re.compile("|".join(map(re.escape, sorted(_BACK, key=len, reverse=True))))

    assert not set(pattern.sub("", escaped)) & set('\\{}$&#%_^~<>|`"')
    assert pattern.sub(lambda found: _BACK[found[0]], escaped) == re.sub(" +", " ", text)
    assert not re.search(r"--|''|,,|[!?]`", escaped)  # what fonts of TeX print as one sign


@given(st.text(max_size=60))
def test_any_text_becomes_ascii_of_latex_with_its_braces_closed(text):
    escaped = escape.latex(text).replace(r"\{", "").replace(r"\}", "")

    assert escaped.isascii()
    assert escaped.count("{") == escaped.count("}")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=60))
def test_any_text_is_one_cell_of_markdown_without_tag_or_link(text):
    row = f"| a | b |\n| --- | --- |\n| x{escape.markdown(text)}x | y |\n"
    page = Shown(mistune.create_markdown(escape=False, plugins=["table", "url"])(row))

    assert page.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_findings_give_the_same_bytes(suffix, tmp_path, monkeypatch):
    first = written(summary(tmp_path), tmp_path, suffix)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setattr("time.time", lambda: 1.9e9)

    assert written(summary(tmp_path), tmp_path, suffix) == first


@pytest.mark.parametrize("suffix", [".docx", ".xlsx"])
def test_no_clock_stands_in_a_package(suffix, tmp_path):
    with zipfile.ZipFile(io.BytesIO(written(summary(tmp_path), tmp_path, suffix))) as package:
        assert {item.date_time for item in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(r"\d{4}-\d\d-\d\dT", package.read("docProps/core.xml").decode())) == {
            "2000-01-01T"
        }


@pytest.mark.parametrize("suffix", SUFFIXES[:5])
def test_every_form_carries_the_notice_the_circles_and_that_nobody_reviewed_it(suffix, tmp_path):
    found = summary(tmp_path)
    data = written(found, tmp_path, suffix)
    if suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            part = "word/document.xml" if suffix == ".docx" else "xl/sharedStrings.xml"
            data = "".join(ElementTree.fromstring(package.read(part)).itertext()).encode()
    text = html.unescape(data.decode())

    assert found.notice in text
    assert "Not medical advice" in text
    assert "draft, unreviewed" in text
    assert ("⊕⊕◯◯" if suffix != ".tex" else r"\known{}\known{}\unknown{}\unknown{}") in text
    assert "Low" in text


@pytest.mark.parametrize(("which", "captions"), [("summary", 1), ("profile", 1), ("both", 2)])
def test_one_table_or_both_are_written(which, captions, tmp_path):
    assert written(summary(tmp_path), tmp_path, ".html", which).decode().count("<caption>") == captions


def test_a_csv_of_both_has_the_columns_of_both_once(tmp_path):
    found = summary(tmp_path)
    columns = list(pd.read_csv(io.BytesIO(written(found, tmp_path, ".csv"))).columns)

    assert set(columns) == {*found.table.columns, *found.profile.columns}
    assert len(columns) == len(set(columns))


# What opens them --------------------------------------------------------------------------------


def run(*command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def needs(*programs):
    missing = [name for name in programs if not shutil.which(name)]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """Return a folder with both topics of the ledger that ships, in every form."""
    folder = tmp_path_factory.mktemp("shipped")
    for topic in ("hair-loss", "skin-dryness"):
        for suffix in SUFFIXES:
            me.summary_of_findings(me.load(), topic=topic).save(folder / f"{topic}{suffix}")
    return folder


@pytest.mark.slow
@needs("chromium")
@pytest.mark.parametrize("topic", ["hair-loss", "skin-dryness"])
def test_a_browser_opens_it_without_a_word(topic, shipped):
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        f"--user-data-dir={shipped}/c",
    )
    done = run("chromium", *flags, "--dump-dom", f"file://{shipped}/{topic}.html", folder=shipped)

    assert done.returncode == 0
    assert "CONSOLE" not in done.stderr
    assert "Summary of findings" in done.stdout


@pytest.mark.slow
@needs("soffice", "pdftotext")
@pytest.mark.parametrize("topic", ["hair-loss", "skin-dryness"])
def test_libreoffice_opens_it_without_a_warning(topic, shipped):
    profile = f"-env:UserInstallation=file://{shipped}/office"
    done = run("soffice", profile, "--headless", "--convert-to", "pdf", f"{topic}.docx", folder=shipped)
    assert done.returncode == 0
    said = [
        line for line in (done.stdout + done.stderr).splitlines() if "javaldx" not in line
    ]  # no Java here
    assert not re.search(r"error|warn", " ".join(said), re.IGNORECASE)

    text = run("pdftotext", "-layout", f"{topic}.pdf", "-", folder=shipped).stdout
    assert "⊕◯◯◯" in text
    assert "Evidence profile" in text


@pytest.mark.slow
@needs("pdflatex")
@pytest.mark.parametrize(
    "engine", [pytest.param(name, marks=needs(name)) for name in ("pdflatex", "lualatex")]
)
@pytest.mark.parametrize("topic", ["hair-loss", "skin-dryness"])
def test_latex_compiles_it_without_a_warning(topic, engine, shipped):
    for _ in range(3):  # a long table settles its columns
        done = run(
            engine,
            "-interaction=nonstopmode",
            "-halt-on-error",
            f"-jobname={topic}-{engine}",
            f"{topic}.tex",
            folder=shipped,
        )
        assert done.returncode == 0, done.stdout[-2000:]

    log = (shipped / f"{topic}-{engine}.log").read_text(encoding="utf-8", errors="replace")
    assert re.findall(r"^.*(?:Warning|Overfull|Missing character|^!).*$", log, re.MULTILINE) == []


@pytest.mark.slow
@needs("pdflatex", "pdftotext")
def test_every_character_of_a_hostile_text_is_printed_by_latex(hostile, tmp_path):
    hostile.save(tmp_path / "x.tex", "summary")
    assert (
        run("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex", folder=tmp_path).returncode
        == 0
    )
    printed = run("pdftotext", "-raw", "x.pdf", "-", folder=tmp_path).stdout

    expected = HOSTILE.replace("中", "⟨U+4E2D⟩").replace("'", "’").replace("µ", "μ")
    squeezed = re.sub(
        r"[\s\u00ad-]",
        "",
        printed.replace("µ", "μ")
        .replace("\N{MODIFIER LETTER CIRCUMFLEX ACCENT}", "^")
        .replace("\N{SMALL TILDE}", "~"),
    )
    assert re.sub(r"[\s-]", "", expected) in squeezed
