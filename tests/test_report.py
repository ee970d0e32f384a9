import html
import re
from html.parser import HTMLParser

import nbformat
import pytest

import mesoevidence as me
from mesoevidence import cli
from tests import ledgers


class Page(HTMLParser):
    """Collects the tags, attributes and ids of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.ids, self.links = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]
        self.ids += [value for name, value in attributes if name == "id"]
        self.links += [value for name, value in attributes if name in ("href", "src")]


def page(tmp_path, changes=None):
    evidence = ledgers.evidence(tmp_path / "ledger", changes)
    return me.write_report(evidence, tmp_path / "out", execute=False).read_text(encoding="utf-8")


def test_the_report_begins_with_the_notice_the_version_and_the_digest(tmp_path):
    text = page(tmp_path)

    assert text.index(me.NOTICE) < text.index("What is claimed, and what is known</h1>")
    assert f"mesoevidence {me.__version__}" in text
    assert me.load(tmp_path / "ledger").digest() in text


def test_the_chain_from_claim_to_citation_to_study_can_be_followed(tmp_path):
    found = Page(page(tmp_path))

    inside = {link[1:] for link in found.links if link.startswith("#")}
    assert {"study-smith-2001", "ref-smith2001", "claim-tea-keeps-awake"} <= inside
    assert inside <= set(found.ids)


def test_no_id_stands_twice(tmp_path):
    found = Page(page(tmp_path))

    assert len(found.ids) == len(set(found.ids))


def test_nothing_comes_from_another_server_and_no_script_runs(tmp_path):
    text = page(tmp_path)
    found = Page(text)

    assert "default-src 'none'" in html.unescape(text)
    assert "script" not in found.tags
    assert not [name for name in found.attributes if name.startswith("on")]
    assert not [tag for tag in found.tags if tag in ("img", "iframe", "object", "link")]


def test_problems_are_shown_and_never_hidden(tmp_path):
    wrong = ledgers.STUDY.replace("events: 12", "events: 13")

    text = page(tmp_path, {"evidence/studies/smith-2001.yaml": wrong})

    assert "evidence/studies/smith-2001.yaml:13:21" in text
    assert "13 does not occur in the figures" in text


def test_a_judgement_shows_that_nobody_reviewed_it(tmp_path):
    assert "draft, unreviewed" in page(tmp_path)


def test_notes_are_listed_too(tmp_path):
    unchecked = ledgers.REFERENCES.replace("x-status = {none}", "x-status = {unchecked}")

    text = page(tmp_path, {"references.bib": unchecked})

    assert "W803 (note)" in text


def test_a_study_leads_back_to_the_claims_it_bears_on(tmp_path):
    text = page(tmp_path)

    card = re.search(r'<article class="card" id="study-smith-2001">(.*?)</article>', text, re.S)[1]
    assert 'href="#claim-tea-keeps-awake"' in card


def test_a_synthesis_shows_what_pooling_gives(tmp_path):
    second = ledgers.STUDY.replace("smith-2001", "jones-2002")
    line = "  - {study: smith-2001, result: evening, intervention: [tea], comparator: [water]}\n"
    both = ledgers.SYNTHESIS.replace(line, line + line.replace("smith-2001", "jones-2002"))

    text = page(
        tmp_path,
        {"evidence/studies/jones-2002.yaml": second, "evidence/syntheses/tea-v-water.yaml": both},
    )

    card = re.search(r'<article class="card" id="synthesis-tea-v-water">(.*?)</article>', text, re.S)[1]
    assert "studies: 2, 80 people" in card


def test_the_first_page_shows_how_far_words_exceed_evidence(tmp_path):
    assert "1 of 1 claims are worded more strongly than their evidence allows" in page(tmp_path)


def test_a_coverage_table_with_other_columns_is_not_read(tmp_path):
    text = page(tmp_path, {"evidence/coverage.csv": "place,claim\nparagraph 2,tea-keeps-awake\n"})

    assert 'paragraph 2</th><td><div class="line"><a href="#claim-tea-keeps-awake"' in text


def test_hostile_text_is_inert(tmp_path):
    hostile = """'"><script>alert(1)</script>{{ 7 * 7 }}<img src=x onerror=alert(1)>'"""
    claim = ledgers.CLAIM.replace("Green tea keeps adults awake", hostile)
    study = ledgers.STUDY.replace("at: abstract", f'at: {hostile}, via: "javascript:alert(1)"')

    text = page(
        tmp_path, {"evidence/claims/tea-keeps-awake.yaml": claim, "evidence/studies/smith-2001.yaml": study}
    )
    found = Page(text)

    assert "script" not in found.tags
    assert "img" not in found.tags
    assert not [link for link in found.links if link.startswith("javascript")]
    assert "{{ 7 * 7 }}" in text


def test_a_sentence_of_an_article_leads_to_its_verdict(tmp_path):
    rows = [
        "article,locator,claims",
        "magazine2020,paragraph 1,no assertion",
        "magazine2020,paragraph 2,tea-keeps-awake",
    ]
    coverage = "\n".join(rows)

    text = page(tmp_path, {"evidence/coverage.csv": coverage})

    row = re.search(r"paragraph 2</th><td>(.*?)</td>", text, re.S)[1]
    assert 'href="#claim-tea-keeps-awake"' in row
    assert "overstated" in row
    assert re.search(r'paragraph 1</th><td><span class="small">no assertion', text)


def test_the_same_ledger_gives_the_same_bytes(tmp_path):
    assert page(tmp_path) == page(tmp_path)


def notebook(tmp_path, *sources):
    cells = [
        nbformat.v4.new_markdown_cell("# A question\n\nIs it <b>so</b>?"),
        *map(nbformat.v4.new_code_cell, sources),
    ]
    folder = tmp_path / "ledger" / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "00-question.ipynb")
    return ledgers.evidence(tmp_path / "ledger")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_each_notebook_becomes_a_page_with_its_outputs(tmp_path):
    evidence = notebook(tmp_path, "import mesoevidence as me\nme.load().table('arms')", "print('<i>')")

    index = me.write_report(evidence, tmp_path / "out")

    text = (tmp_path / "out" / "00-question.html").read_text(encoding="utf-8")
    assert "<h1>A question</h1>" in text
    assert "&lt;b&gt;so&lt;/b&gt;" in text
    assert "green-tea" in text
    assert "&lt;i&gt;" in text
    assert me.NOTICE in text
    assert '<a href="00-question.html">A question</a>' in index.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_failing_cell_stops_with_cell_and_message(tmp_path):
    evidence = notebook(tmp_path, "1 + 1", "raise ValueError('the tea is cold')")

    with pytest.raises(
        me.EvidenceError, match=r"00-question.ipynb, cell 3 fails: ValueError: the tea is cold"
    ):
        me.write_report(evidence, tmp_path / "out")


def test_the_command_writes_the_report_and_says_where(tmp_path, capsys):
    ledgers.write(tmp_path / "ledger")

    code = cli.main(
        ["report", "--no-execute", "--path", str(tmp_path / "ledger"), "--output", str(tmp_path / "out")]
    )

    assert code == 0
    assert capsys.readouterr().out.startswith(str(tmp_path / "out" / "index.html"))


def test_a_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path, capsys):
    ledgers.write(tmp_path / "ledger")
    (tmp_path / "out").write_text("in the way")

    code = cli.main(
        ["report", "--no-execute", "--path", str(tmp_path / "ledger"), "--output", str(tmp_path / "out")]
    )

    assert code == 2
    assert "cannot be made" in capsys.readouterr().err
