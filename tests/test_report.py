import html
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

import mesoevidence as me
from mesoevidence import cli, files, site
from mesoevidence.charts.certain import VERDICTS
from tests import ledgers

PICTURES = ("data:image/svg+xml;base64,", "data:image/png;base64,")
COVERAGE = """\
article,locator,claims
magazine2020,paragraph 1,no assertion
magazine2020,paragraph 2,tea-keeps-awake
"""
FOLDERS = ("articles", "claims", "studies", "syntheses", "topics")


class Page(HTMLParser):
    """Collects the tags, attributes, ids and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.ids, self.links, self.sources = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]
        self.ids += [value for name, value in attributes if name == "id"]
        self.links += [value for name, value in attributes if name == "href"]
        self.sources += [value for name, value in attributes if name == "src"]


def written(tmp_path, changes=None):
    """Return every page of the report of the small ledger by its path."""
    evidence = ledgers.evidence(tmp_path / "ledger", changes)
    out = me.write_report(evidence, tmp_path / "out", execute=False).parent
    return {path.relative_to(out).as_posix(): path.read_text("utf-8") for path in out.rglob("*.html")}


def page(tmp_path, name="index.html", changes=None):
    return written(tmp_path, changes)[name]


def links_of(name, text):
    """Return where the links of a page lead inside the report: pages and places."""
    for link in Page(text).links:
        parts = urlsplit(link)
        if not parts.scheme:
            base = Path(name).parent
            yield (
                (base / parts.path).resolve().relative_to(Path.cwd()).as_posix() if parts.path else name,
                parts,
            )


def test_each_page_begins_with_the_notice_and_ends_with_version_and_digest(tmp_path):
    found = written(tmp_path)

    for name, text in found.items():
        assert text.index(files.notice(tmp_path / "ledger")) < text.index("<h1>"), name
        assert f"mesoevidence {me.__version__}" in text, name
        assert me.load(tmp_path / "ledger").digest() in text, name


def test_a_ledger_of_one_s_own_declares_nothing_that_only_the_shipped_one_may(tmp_path):
    assert "No funding" in files.notice(me.load().ledger.root)
    for name, text in written(tmp_path).items():
        assert "No funding" not in text, name
        assert "Not medical advice" in text, name


def test_each_record_and_article_has_a_page_of_its_own(tmp_path):
    found = written(tmp_path, {"evidence/coverage.csv": COVERAGE})

    assert set(found) == {
        "index.html", "find.html", "problems.html", "references.html", "articles/magazine2020.html",
        "claims/tea-keeps-awake.html", "studies/smith-2001.html", "syntheses/tea-v-water.html",
        "topics/tea.html",
    }  # fmt: skip


def test_every_link_inside_the_site_leads_to_a_page_and_a_place(tmp_path):
    found = written(tmp_path)

    seen = set()
    for name, text in found.items():
        for target, parts in links_of(name, text):
            assert target in found, f"{name} leads to {target}"
            if target != "find.html" and parts.fragment:
                assert unquote(parts.fragment) in Page(found[target]).ids, f"{name} leads to {parts.geturl()}"
            seen.add(target)
    assert seen == set(found)


def test_the_chain_from_sentence_to_claim_to_study_to_reference_can_be_followed(tmp_path):
    found = written(tmp_path, {"evidence/coverage.csv": COVERAGE})

    assert "../claims/tea-keeps-awake.html" in Page(found["articles/magazine2020.html"]).links
    claim = Page(found["claims/tea-keeps-awake.html"]).links
    assert {"../articles/magazine2020.html#s-1", "../studies/smith-2001.html"} <= set(claim)
    study = Page(found["studies/smith-2001.html"]).links
    assert {"../references.html#ref-smith2001", "../claims/tea-keeps-awake.html"} <= set(study)


def test_no_id_stands_twice_on_a_page(tmp_path):
    for name, text in written(tmp_path).items():
        ids = Page(text).ids
        assert len(ids) == len(set(ids)), name


def test_nothing_comes_from_another_server_and_the_only_script_is_that_of_the_search(tmp_path):
    for name, text in written(tmp_path).items():
        found = Page(text)
        assert "default-src 'none'" in html.unescape(text)
        assert "unsafe-inline" not in text
        assert found.tags.count("script") == (name == "find.html"), name
        assert not [item for item in found.attributes if item.startswith("on") or item == "style"]
        assert not [tag for tag in found.tags if tag in ("iframe", "object", "link", "embed")]
        assert all(
            source.startswith(("data:image/svg+xml;base64,", "data:image/png;base64,"))
            for source in found.sources
        )


def test_problems_are_shown_and_never_hidden(tmp_path):
    wrong = ledgers.STUDY.replace("events: 12", "events: 13")

    found = written(tmp_path, {"evidence/studies/smith-2001.yaml": wrong})

    assert "evidence/studies/smith-2001.yaml:13:21" in found["problems.html"]
    assert "13 does not occur in the figures" in found["problems.html"]
    assert "13 does not occur in the figures" in found["studies/smith-2001.html"]


def test_a_problem_leads_to_its_record(tmp_path):
    doubt = ledgers.STUDY.replace("{intervention: green-tea, n: 20}", "{intervention: green-tea, n: 10}")

    text = page(tmp_path, "problems.html", {"evidence/studies/smith-2001.yaml": doubt})

    assert "studies/smith-2001.html" in Page(text).links


def test_a_judgement_shows_that_nobody_reviewed_it(tmp_path):
    found = written(tmp_path)

    for folder in FOLDERS:
        pages = [text for name, text in found.items() if name.startswith(folder)]
        assert all("unreviewed" in text for text in pages)


def test_notes_are_listed_too(tmp_path):
    unchecked = ledgers.REFERENCES.replace("x-status = {none}", "x-status = {unchecked}")

    assert "W803 (note)" in page(tmp_path, "problems.html", {"references.bib": unchecked})


def test_a_synthesis_shows_its_forest_plot_in_picture_and_words_and_what_pooling_gives(tmp_path):
    second = ledgers.STUDY.replace("smith-2001", "jones-2002")
    line = "  - {study: smith-2001, result: evening, intervention: [tea], comparator: [water]}\n"
    both = ledgers.SYNTHESIS.replace(line, line + line.replace("smith-2001", "jones-2002"))

    text = page(
        tmp_path,
        "syntheses/tea-v-water.html",
        {"evidence/studies/jones-2002.yaml": second, "evidence/syntheses/tea-v-water.yaml": both},
    )

    assert "studies: 2 with 80 people" in text
    assert 'alt="Forest plot of 2 studies' in text
    assert "jones-2002" in text


def test_the_first_page_shows_how_far_words_exceed_evidence(tmp_path):
    assert "1 of 1 claims are worded more strongly than their evidence allows" in page(tmp_path)


def test_a_claim_says_what_would_change_its_verdict(tmp_path):
    text = page(tmp_path, "claims/tea-keeps-awake.html")

    here = re.search(r'<td class="here">(.*?)</td>', text, re.S)[1]
    assert "overstated" in here
    row = re.search(r"certain <span.*?</tr>", text, re.S)[0]
    assert re.findall(r"tag verdict ([a-z-]+)", row) == [
        "overstated",
        "overstated",
        "overstated",
        "insufficient",
    ]


def test_a_claim_says_what_its_verdict_means_and_calls_its_evidence_by_name(tmp_path):
    text = page(tmp_path, "claims/tea-keeps-awake.html")

    judged = re.search(r'<div class="card judged">(.*?)</div>', text, re.S)[1]
    assert "The evidence allows less" in judged
    assert "(Smith 2001 supports)" in judged
    assert "smith-2001" not in judged


def test_a_table_that_becomes_blocks_on_a_phone_still_says_that_it_is_a_table(tmp_path):
    found = written(tmp_path, {"evidence/coverage.csv": COVERAGE})

    tables = [
        table for text in found.values() for table in re.findall(r'(?s)<table class="stack".*?</table>', text)
    ]
    assert tables
    for part in re.findall(r"<(?:table|thead|tbody|tr|th|td)\b[^>]*>", "".join(tables)):
        assert " role=" in part


def test_a_claim_without_evidence_asks_for_a_study(tmp_path):
    bare = ledgers.CLAIM.replace(
        "evidence:\n  - {study: smith-2001, direction: supports, directness: direct}\n", ""
    )
    bare = re.sub("verdict: .*\n", "", bare)

    text = page(tmp_path, "claims/tea-keeps-awake.html", {"evidence/claims/tea-keeps-awake.yaml": bare})

    assert "A study or a synthesis that bears on it" in text
    assert "Nobody has judged it yet" in text


def test_a_topic_says_what_is_known_of_each_outcome(tmp_path):
    text = page(tmp_path, "topics/tea.html")

    assert 'href="../syntheses/tea-v-water.html"' in text
    assert "not judged yet" in text
    assert "Summary of findings: " in text


def test_a_coverage_table_with_other_columns_is_not_read(tmp_path):
    text = page(
        tmp_path,
        "articles/magazine2020.html",
        {"evidence/coverage.csv": "place,claim\nparagraph 2,tea-keeps-awake\n"},
    )

    assert re.search(r'paragraph 2</th><td [^>]*><a href="../claims/tea-keeps-awake.html"', text)


def test_a_sentence_of_an_article_leads_to_its_verdict(tmp_path):
    text = page(tmp_path, "articles/magazine2020.html", {"evidence/coverage.csv": COVERAGE})

    row = re.search(r'<tbody id="s-1"[^>]*>(.*?)</tbody>', text, re.S)[1]
    assert "paragraph 2" in row
    assert "certain, large" in row
    assert "overstated" in row
    assert re.search(r'paragraph 1</th><td role="cell" colspan="4" class="small">no assertion', text)


def test_hostile_text_is_inert_on_every_page(tmp_path):
    found = written(
        tmp_path, ledgers.hostile(("'\"><script>alert(1)</script>{{ 7 * 7 }}<img src=x onerror=alert(1)>",))
    )

    assert not list(tmp_path.rglob("escape*"))
    for name, text in found.items():
        seen = Page(text)
        assert seen.tags.count("script") == (name == "find.html"), name
        assert not [item for item in seen.attributes if item.startswith("on")], name
        assert not [link for link in seen.links if link.startswith("javascript")], name
        assert all(source.startswith(PICTURES) for source in seen.sources), name
    pages = ("claims/hostile-0", "studies/smith-2001", "syntheses/tea-v-water", "topics/tea", "find")
    assert all("{{ 7 * 7 }}" in found[f"{name}.html"] for name in pages)


def test_only_an_id_becomes_the_name_of_a_file():
    for name in ("../x", "a/b", "", "con", "A", "a b", "x" * 200, "a\n"):
        with pytest.raises(me.EvidenceError, match="is no name for a page"):
            site.address("claim", name)


def test_the_same_ledger_gives_the_same_bytes(tmp_path):
    assert written(tmp_path / "one") == written(tmp_path / "two")


def test_a_page_of_a_record_that_is_gone_goes_too_and_what_others_wrote_stays(tmp_path):
    written(tmp_path)
    (tmp_path / "ledger/evidence/syntheses/tea-v-water.yaml").unlink()
    (tmp_path / "out/claims/mine.html").write_text("mine")

    me.write_report(me.load(tmp_path / "ledger"), tmp_path / "out", execute=False)

    assert not (tmp_path / "out/syntheses/tea-v-water.html").exists()
    assert (tmp_path / "out/claims/mine.html").read_text() == "mine"


@pytest.mark.slow
def test_the_shipped_pages_are_light_enough_to_open_anywhere(tmp_path):
    me.write_report(me.load(), tmp_path, execute=False)

    sizes = {path.name: path.stat().st_size for path in tmp_path.rglob("*.html")}
    assert max(sizes.values()) < 1_500_000
    assert sum(sizes.values()) < 20_000_000


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
    assert files.notice(evidence.ledger.root) in text
    assert '<a href="00-question.html">A question</a>' in index.read_text(encoding="utf-8")
    assert "style-src-attr" in text


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


def test_a_verdict_looks_on_a_page_as_it_does_in_a_chart(tmp_path):
    me.write_report(ledgers.evidence(tmp_path / "ledger"), tmp_path / "out", execute=False)

    style = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    for word, look in VERDICTS.items():
        assert f'.verdict.{word}::before {{ content: "{look.sign}" / ""; background: {look.fill}' in style


@pytest.mark.skipif(not shutil.which("tidy"), reason="tidy is not installed")
def test_every_kind_of_page_is_valid_html(tmp_path):
    evidence = ledgers.evidence(tmp_path / "ledger")
    me.write_report(evidence, tmp_path / "out", execute=False)
    me.write_review(evidence, "tea", tmp_path / "out/tea.html")

    for path in sorted((tmp_path / "out").rglob("*.html")):
        asked = ["tidy", "-errors", "-quiet", "--drop-empty-elements", "no", str(path)]
        told = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=60).stderr
        # it is older than `aria-current`
        assert [line for line in told.splitlines() if "aria-current" not in line] == [], path.name
