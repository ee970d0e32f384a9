"""The reviewer's document: every part a reviewer needs, the same in each form, never silently outdated."""

import html
import io
import json
import re
import shutil
import subprocess
import zipfile

import docx
import mistune
import pytest
from rich.console import Console

import mesoevidence as me
from mesoevidence import cli, files, progress
from tests import ledgers
from tests.test_documents import HOSTILE
from tests.test_findings import SYNTHESIS, Shown

SECTIONS = (
    "Question", "In short", "Summary of findings", "Certainty, and why", "Forest plots", "Included studies",
    "What articles claim", "Methods", "References", "Notice",
)  # fmt: skip
GRADED = {"evidence/syntheses/tea-v-water.yaml": SYNTHESIS}


@pytest.fixture
def tea(tmp_path):
    return ledgers.evidence(tmp_path / "ledger", GRADED)


def written(evidence, folder, suffix, topic="tea"):
    return me.write_review(evidence, topic, folder / f"review-{topic}{suffix}")


def markdown(evidence, folder):
    return written(evidence, folder, ".md").read_text(encoding="utf-8")


def section(text, title):
    """Return one section of a Markdown document."""
    return re.split(r"^## ", text.split(f"\n## {title}\n")[1], flags=re.M)[0]


@pytest.mark.parametrize("suffix", [".html", ".md", ".docx", ".tex"])
def test_each_form_has_every_section_in_order_and_the_notice(suffix, tea, tmp_path):
    path = written(tea, tmp_path, suffix)
    text = "\n".join(
        paragraph.text for paragraph in docx.Document(str(path)).paragraphs
    ) if suffix == ".docx" else html.unescape(path.read_text(encoding="utf-8"))  # fmt: skip

    heads = rf"^(?:## |.*<h2>|.*raggedright )?({'|'.join(SECTIONS)})(?:</h2>|\\par.*)?$"
    assert tuple(re.findall(heads, text, re.M)) == SECTIONS
    assert files.notice(tea.ledger.root) in " ".join(text.split())
    assert tea.digest() in text


def test_the_question_names_who_what_against_what_and_for_which_outcome(tea, tmp_path):
    assert "| Adults | Green tea | Water | Awake or not |" in section(markdown(tea, tmp_path), "Question")


def test_what_may_be_said_stands_first_and_that_nobody_reviewed_it(tea, tmp_path):
    text = section(markdown(tea, tmp_path), "In short")

    assert "**Certainty of the evidence on 1 question:** low 1" in text
    assert "**Verdicts on 1 claim:** overstated 1" in text
    assert me.rate(tea, "tea-v-water").plain in text
    assert "**Reviewed by a second person:** none of 2 judgements." in text


def test_each_step_of_certainty_has_its_reason(tea, tmp_path):
    text = section(markdown(tea, tmp_path), "Certainty, and why")

    assert "Risk of bias, one level down: nobody was blind." in text
    assert "Imprecision, one level down: forty people." in text


def test_a_pooled_question_has_its_forest_plot_beside_markdown_and_inside_the_others(tea, tmp_path):
    assert "](forest-tea-v-water.svg)" in section(markdown(tea, tmp_path), "Forest plots")
    assert "<svg" in (tmp_path / "forest-tea-v-water.svg").read_text(encoding="utf-8")

    page = written(tea, tmp_path, ".html").read_text(encoding="utf-8")
    assert '<img src="data:image/svg+xml;base64,' in page
    shapes = docx.Document(str(written(tea, tmp_path, ".docx"))).inline_shapes
    assert [shape._inline.docPr.get("descr") for shape in shapes] == [
        me.forest(me.pool(tea, "tea-v-water")).alt
    ]


def test_a_question_that_was_not_pooled_says_why(tmp_path):
    synthesis = SYNTHESIS.replace(
        "analysis: {measure: RR, method: REML, test: knha, fixed_on: 2026-01-31}",
        'narrative: {why: "a single cup", by: direction}',
    )
    tea = ledgers.evidence(tmp_path / "ledger", {"evidence/syntheses/tea-v-water.yaml": synthesis})
    text = markdown(tea, tmp_path)

    assert "Not pooled: a single cup." in section(text, "Forest plots")
    assert "Not pooled, for the reasons above: 1 of 1 question." in section(text, "Methods")
    assert not list(tmp_path.glob("*.svg"))


def test_a_claim_stands_with_its_place_wording_citations_evidence_and_verdict(tea, tmp_path):
    text = section(markdown(tea, tmp_path), "What articles claim")

    row = next(line for line in text.splitlines() if "Green tea keeps adults awake" in line)
    cells = [part.strip() for part in row.strip("|").split("|")]
    assert cells[1] == "paragraph 2<br>worded as certain<br>what it cites was not recorded"
    assert cells[2:] == ["low<br>by design alone", r"**Overstated**<br>One small trial.<br>Rests on \[1\]"]


def test_that_an_article_cites_nothing_is_told_from_that_nobody_looked(tmp_path):
    claim = ledgers.CLAIM.replace('awake"}', 'awake", citations: [{specificity: none}]}')
    tea = ledgers.evidence(tmp_path / "ledger", {"evidence/claims/tea-keeps-awake.yaml": claim})

    assert "<br>cites nothing |" in section(markdown(tea, tmp_path), "What articles claim")


def test_a_claim_made_twice_is_one_row_with_both_places(tmp_path):
    again = 'appearances:\n  - {source: magazine2020, at: "heading", wording: possible}\n'
    tea = ledgers.evidence(
        tmp_path / "ledger",
        {"evidence/claims/tea-keeps-awake.yaml": ledgers.CLAIM.replace("appearances:\n", again)},
    )
    text = section(markdown(tea, tmp_path), "What articles claim")

    assert text.count("Green tea keeps adults awake") == 1
    assert "heading; paragraph 2<br>worded as certain and possible" in text


def test_a_statement_of_background_is_counted_and_not_listed(tmp_path):
    claim = "id: tea-is-old\nclaim: Tea is old\nkind: background\ntopics: [tea]\n"
    claim += 'appearances: [{source: magazine2020, at: "paragraph 1"}]\n'
    tea = ledgers.evidence(tmp_path / "ledger", {"evidence/claims/tea-is-old.yaml": claim})
    text = section(markdown(tea, tmp_path), "What articles claim")

    assert "Tea is old" not in text
    assert "Statements of background, which assert nothing of the topic, are left out: 1." in text


def test_the_methods_tell_what_was_done_and_what_was_not(tea, tmp_path):
    text = section(markdown(tea, tmp_path), "Methods")

    assert "The included were read as: 1 abstract." in text
    assert "No search was recorded." in text
    assert "Risk of bias was looked at in 0 of 1 included studies; 0 of them could be judged overall." in text
    assert "risk ratio, random effects, REML, Hartung-Knapp, fixed on 2026-01-31 (1)" in text
    assert "Certainty was rated by GRADE for 1 of 1 question, by mesoevidence." in text


def test_references_are_numbered_as_they_are_mentioned_and_in_vancouver_style(tea, tmp_path):
    text = markdown(tea, tmp_path)
    listed = section(text, "References")

    assert r"Studies: Smith 2001 \[1\]." in section(text, "Forest plots")
    assert "1. Smith A, Jones B. Tea and sleep. J Tea. 2001;3:1-9." in listed
    assert listed.index("Tea and sleep") < listed.index("Ten facts about tea")


def test_numbers_read_elsewhere_are_cited_where_they_were_read(tmp_path):
    study = ledgers.STUDY.replace("from: {ref: smith2001,", "from: {ref: review2009,")
    bib = ledgers.REFERENCES + "@article{review2009, title = {All of tea}, year = {2009}}\n"
    changes = {**GRADED, "evidence/studies/smith-2001.yaml": study, "references.bib": bib}
    text = markdown(ledgers.evidence(tmp_path / "ledger", changes), tmp_path)

    assert r"Studies: Smith 2001 \[1\], read in \[2\]." in section(text, "Forest plots")
    assert "2. All of tea. 2009." in section(text, "References")


def test_a_study_that_was_left_out_stands_with_its_reason(tmp_path):
    left = f"{SYNTHESIS}exclude: {{smith-2001b: no control group}}\n"
    study = ledgers.STUDY.replace("smith-2001\n", "smith-2001b\n")
    changes = {"evidence/syntheses/tea-v-water.yaml": left, "evidence/studies/smith-2001b.yaml": study}
    text = markdown(ledgers.evidence(tmp_path / "ledger", changes), tmp_path)

    assert r"| Smith 2001 \[1\] | No control group |" in section(text, "Included studies")


def test_risk_of_bias_is_counted_by_study_and_only_where_it_could_be_judged(tmp_path):
    domains = "domains: {randomisation: {judgement: high, why: by birthday}}"
    rest = ", by: mesoevidence, on: 2026-01-31}"
    rob = (
        f"  - {{tool: rob2, result: evening, {domains}, overall: {{judgement: high, why: one domain{rest}}}\n"
        f"  - {{tool: rob2, {domains.replace('high', 'not-assessed')}, "
        f"overall: {{judgement: not-assessed, why: unknown{rest}}}\n"
    )
    changes = {**GRADED, "evidence/studies/smith-2001.yaml": f"{ledgers.STUDY}rob:\n{rob}"}
    text = markdown(ledgers.evidence(tmp_path / "ledger", changes), tmp_path)

    assert "RoB 2, evening: high<br>RoB 2: not assessed" in section(text, "Included studies")
    said = "Risk of bias was looked at in 1 of 1 included studies, with RoB 2 (1); 1 of them could be judged"
    assert said in section(text, "Methods")


def test_the_same_search_is_counted_once(tmp_path):
    search = "search: [{where: PubMed, query: tea, on: 2026-01-30}]\n"
    again = ledgers.CLAIM.replace("tea-keeps-awake", "tea-is-awake")
    changes = {
        "evidence/claims/tea-keeps-awake.yaml": ledgers.CLAIM + search,
        "evidence/claims/tea-is-awake.yaml": again + search.replace("2026-01-30", "2026-01-31") + "",
        "evidence/claims/tea-was-awake.yaml": again.replace("tea-is", "tea-was") + search,
    }
    text = section(markdown(ledgers.evidence(tmp_path / "ledger", changes), tmp_path), "Methods")

    assert "between 2026-01-30 and 2026-01-31: 2 times, in PubMed." in text


def test_a_reviewed_judgement_is_counted(tmp_path):
    changes = {"evidence/syntheses/tea-v-water.yaml": f"{SYNTHESIS}status: reviewed\nreviewed_by: Bo Jones\n"}
    text = section(markdown(ledgers.evidence(tmp_path / "ledger", changes), tmp_path), "In short")

    assert "**Reviewed by a second person:** 1 of 2 judgements." in text


def test_a_ledger_with_errors_says_so_first(tmp_path):
    changes = {**GRADED, "evidence/studies/smith-2001.yaml": "id: [smith\n"}
    text = markdown(ledgers.evidence(tmp_path / "ledger", changes), tmp_path)

    assert section(text, "In short").lstrip().startswith("**Not everything could be used:** the checks found")
    assert "smith-2001 (no such record)" in section(text, "Forest plots")


def test_a_topic_without_a_synthesis_still_says_what_is_claimed(tmp_path):
    tea = ledgers.evidence(tmp_path / "ledger", {"evidence/syntheses/tea-v-water.yaml": None})
    text = markdown(tea, tmp_path)

    assert "No synthesis was recorded on this topic" in text
    assert "## Forest plots" not in text
    assert "Green tea keeps adults awake" in section(text, "What articles claim")


@pytest.mark.parametrize("suffix", [".html", ".md", ".docx", ".tex"])
def test_the_same_records_give_the_same_bytes(suffix, tea, tmp_path, monkeypatch):
    (tmp_path / "again").mkdir()
    first = written(tea, tmp_path, suffix).read_bytes()
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    assert written(tea, tmp_path / "again", suffix).read_bytes() == first


# Hostile text -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    return ledgers.evidence(folder / "ledger", ledgers.hostile()), folder


def test_two_hundred_hostile_texts_are_inert_in_html(hostile):
    evidence, folder = hostile
    page = written(evidence, folder, ".html").read_text(encoding="utf-8")
    shown = Shown(page)

    tags = "html head meta title style body main section h1 h2 h3 p strong br div span sup figure img "
    assert set(shown.tags) <= set(f"{tags} details summary ul li table caption thead tbody tr th td".split())
    names = "lang charset http-equiv content name class scope colspan rowspan aria-hidden aria-label "
    assert set(shown.attributes) <= set(f"{names} scoped role tabindex src width alt".split())
    assert all(" ".join(text.split()) in " ".join(shown.text.split()) for text in ledgers.HOSTILE)
    assert re.findall(r'src="(?!data:image/)', page) == []


def test_two_hundred_hostile_texts_are_inert_in_word(hostile):
    evidence, folder = hostile
    made = docx.Document(str(written(evidence, folder, ".docx")))
    text = made.element.xml
    cells = {cell.text for table in made.tables for row in table.rows for cell in row.cells}

    assert not any(tag in text for tag in ("instrText", "fldSimple", "fldChar", "w:hyperlink"))
    assert {text for text in ledgers.HOSTILE if not any(text in cell for cell in cells)} == set()


def test_two_hundred_hostile_texts_are_inert_in_markdown(hostile):
    evidence, folder = hostile
    text = written(evidence, folder, ".md").read_text(encoding="utf-8")
    page = Shown(mistune.create_markdown(escape=False, plugins=["table", "url", "strikethrough"])(text))

    allowed = "h1 h2 h3 p strong br sup ol li img table thead tbody tr th td"
    assert set(page.tags) <= set(allowed.split())
    assert set(page.attributes) <= {"style", "src", "alt"}
    assert re.findall(r"!\[[^\n]*\]\((?!forest-tea-v-water\.svg\))", text) == []


def test_the_commands_of_hostile_texts_do_not_reach_latex(tmp_path):
    topic = ledgers.TOPIC.replace("label: Tea\n", f"label: {json.dumps(HOSTILE)}\n")
    text = written(
        ledgers.evidence(tmp_path / "ledger", {**GRADED, "evidence/topics/tea.yaml": topic}), tmp_path, ".tex"
    ).read_text(encoding="utf-8")

    assert r"\textbackslash{}write18" in text
    assert r"\write18" not in text


# Outdated ---------------------------------------------------------------------------------------


def run(tmp_path, *arguments):
    asked = ["report", "--path", str(tmp_path / "ledger"), "--output", str(tmp_path / "out"), *arguments]
    return cli.main(asked)


@pytest.mark.parametrize("form", ["--no-execute", "--format docx", "--format html --topic tea"])
def test_check_fails_from_the_moment_a_record_changes(form, tmp_path, capsys):
    ledgers.write(tmp_path / "ledger", GRADED)
    assert run(tmp_path, *form.split()) == 0
    assert run(tmp_path, *form.split(), "--check") == 0

    late = {"evidence/claims/tea-keeps-awake.yaml": f"{ledgers.CLAIM}note: late\n"}
    ledgers.write(tmp_path / "ledger", {**GRADED, **late})
    capsys.readouterr()
    assert run(tmp_path, *form.split(), "--check") == 1
    assert "was made from other inputs" in capsys.readouterr().out
    assert run(tmp_path, *form.split()) == 0
    assert run(tmp_path, *form.split(), "--check") == 0


@pytest.mark.parametrize("changed", ["notebooks/00-a.ipynb", "evidence/coverage.csv"])
def test_what_pages_show_besides_records_counts_as_an_input(changed, tmp_path):
    tea = ledgers.evidence(tmp_path / "ledger", GRADED)
    path = tmp_path / "ledger" / changed
    path.parent.mkdir(exist_ok=True)
    empty = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    path.write_text(empty, encoding="utf-8")
    index = me.write_report(tea, tmp_path / "out")
    assert me.is_current(tea, index)

    path.write_text(empty.replace("{}", '{"a": 1}'), encoding="utf-8")
    assert not me.is_current(tea, index)


def test_checking_writes_nothing(tmp_path, capsys):
    ledgers.write(tmp_path / "ledger", GRADED)

    assert run(tmp_path, "--check") == 1
    assert "cannot be read" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def package(types):
    """Return a zip archive whose list of contents is these bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("[Content_Types].xml", types)
    return held.getvalue()


def test_each_outdated_document_is_named_though_another_is_missing(tmp_path, capsys):
    coffee = {"evidence/topics/coffee.yaml": "id: coffee\nlabel: Coffee\n"}
    ledgers.write(tmp_path / "ledger", {**GRADED, **coffee})
    assert run(tmp_path, "--format", "md", "--topic", "tea") == 0
    ledgers.write(
        tmp_path / "ledger", {**GRADED, "evidence/topics/coffee.yaml": "id: coffee\nlabel: Mocha\n"}
    )
    capsys.readouterr()

    assert run(tmp_path, "--format", "md", "--check") == 1
    said = capsys.readouterr().out
    assert "review-coffee.md cannot be read" in said
    assert "review-tea.md was made from other inputs" in said


def test_another_version_of_the_library_makes_a_document_outdated(tea, tmp_path):
    path = written(tea, tmp_path, ".md")
    text = path.read_text(encoding="utf-8")
    assert me.is_current(tea, path, execute=False)

    path.write_text(text.replace(me.__version__, "0.0.1"), encoding="utf-8")
    assert not me.is_current(tea, path, execute=False)


def test_a_file_that_is_no_word_document_is_one_clear_sentence(tmp_path, capsys):
    ledgers.write(tmp_path / "ledger", GRADED)
    (tmp_path / "out").mkdir()
    for broken in (b"tea", package(b"<"), package(b"<a/>")):
        (tmp_path / "out" / "review-tea.docx").write_bytes(broken)
        assert run(tmp_path, "--check", "--format", "docx") == 1
        assert "is no document of Word" in capsys.readouterr().out


def test_each_topic_has_its_document_where_none_is_named(tmp_path, capsys):
    ledgers.write(tmp_path / "ledger", GRADED)

    assert run(tmp_path, "--format", "md") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == str(tmp_path / "out" / "review-tea.md")
    assert "checks on" in said[1]


def test_quiet_says_nothing_but_errors(tmp_path, capsys):
    ledgers.write(tmp_path / "ledger", GRADED)

    assert run(tmp_path, "--no-execute", "--quiet") == 0
    assert run(tmp_path, "--format", "docx", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert run(tmp_path, "--quiet", "--topic", "tea") == 2
    assert "name its --format too" in capsys.readouterr().err


def test_a_document_shows_its_progress_on_a_terminal_and_nothing_when_asked_for_quiet(tmp_path, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=shown, force_terminal=True, width=80))
    tea = ledgers.evidence(tmp_path / "ledger", GRADED)

    me.write_review(tea, "tea", tmp_path / "tea.md", quiet=True)
    assert "writing" not in shown.getvalue()
    me.write_review(tea, "tea", tmp_path / "tea.md")
    assert re.search(r"writing tea\.md .*10/10", shown.getvalue())


def test_a_ledger_of_which_no_topic_can_be_read_is_one_clear_sentence(tmp_path, capsys):
    ledgers.write(tmp_path / "ledger", {**GRADED, "evidence/topics/tea.yaml": "id: [tea\n"})

    assert run(tmp_path, "--format", "md") == 2
    assert "no topic could be read; `mesoevidence check` says why" in capsys.readouterr().err


def test_an_unknown_topic_makes_no_folder(tmp_path):
    ledgers.write(tmp_path / "ledger", GRADED)

    assert run(tmp_path, "--format", "md", "--topic", "a/b") == 2
    assert not (tmp_path / "out").exists()


def test_a_topic_that_is_not_there_names_the_nearest(tmp_path, capsys):
    ledgers.write(tmp_path / "ledger", GRADED)

    assert run(tmp_path, "--format", "docx", "--topic", "te") == 2
    assert "did you mean 'tea'?" in capsys.readouterr().err


# The shipped ledger, in the programs that open it -------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return me.load()


@pytest.mark.slow
@pytest.mark.parametrize("topic", list(me.load().topics))
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_opens_it_with_wide_tables_on_their_side(topic, shipped, tmp_path):
    path = written(shipped, tmp_path, ".docx", topic)
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/home", "--headless"]
    command += ["--convert-to", "pdf", "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    told = subprocess.run(
        ["pdfinfo", "-l", "999", path.with_suffix(".pdf")], check=True, capture_output=True, text=True
    ).stdout

    sizes = {tuple(map(round, map(float, size))) for size in re.findall(r"size: +([\d.]+) x ([\d.]+)", told)}
    assert sizes == {(595, 842), (842, 595)}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_two_hundred_hostile_texts_are_printed_by_latex_and_run_nothing(hostile, tmp_path):
    evidence, _ = hostile
    path = written(evidence, tmp_path, ".tex")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-1500:]

    printed = ["pdftotext", "-layout", path.with_suffix(".pdf"), "-"]
    told = "".join(subprocess.run(printed, check=True, capture_output=True, text=True).stdout.split())
    assert told.count("alert(1)") >= len(ledgers.HOSTILE) // 2
    assert all("".join(word.split()) in told for word in ("{{7*7}}", "{%raw%}", "]]>", "</textarea>"))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
@pytest.mark.parametrize("topic", list(me.load().topics))
def test_latex_compiles_it(topic, engine, shipped, tmp_path):
    if not shutil.which(engine):
        pytest.skip(f"{engine} is not installed")
    path = written(shipped, tmp_path, ".tex", topic)
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", path.name]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, timeout=300)

    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-1500:]
