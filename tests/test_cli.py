"""The command as people use it: what it prints, in which form, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import mesoevidence as me
from mesoevidence.cli import main
from mesoevidence.problems import CODES
from tests import ledgers

STUDY = "evidence/studies/smith-2001.yaml"
WRONG = ledgers.STUDY.replace("events: 12", "events: 13")


def run(capsys, *arguments):
    """Return exit code, output and errors of one command."""
    code = main([str(word) for word in arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def command(*arguments, **options):
    """Return a finished process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(me.__file__).parent.parent)}
    words = [sys.executable, "-m", "mesoevidence", *map(str, arguments)]
    return subprocess.run(words, env=environment, capture_output=True, check=False, **options)


@pytest.fixture
def good(tmp_path):
    return ledgers.write(tmp_path)


@pytest.fixture
def wrong(tmp_path):
    return ledgers.write(tmp_path, {STUDY: WRONG})


# check -------------------------------------------------------------------------------------------


def test_a_good_ledger_exits_0_and_says_how_much_was_checked(capsys, good):
    code, out, err = run(capsys, "check", good)
    checked = me.load(good).checked

    assert (code, err) == (0, "")
    assert out == f"{checked.checks} checks on 4 records: no problems\n"
    assert checked.checks > 10


def test_a_deliberate_mistake_exits_1_with_its_line_a_caret_and_a_remedy(capsys, wrong):
    code, out, _ = run(capsys, "check", wrong)

    assert code == 1
    assert out.split("\n")[:6] == [
        f"{STUDY}:13:21: E302 13 does not occur in the figures: 12 of 20 v 5 of 20",
        "   |",
        "13 |       tea: {events: 13, n: 20}",
        "   |                     ^",
        "  = help: copy the figure as printed, or set `method: calculated` and say how",
        out.split("\n")[5],
    ]
    assert out.endswith(" checks on 4 records: 1 error\n")


def test_the_caret_stands_under_the_place_in_wide_scripts_and_long_lines(capsys, tmp_path):
    text = ledgers.STUDY.replace("design: rct", f"funding: {{東京東京: {'x' * 30}}}\ndesign: rct")
    ledgers.write(tmp_path, {STUDY: text})

    _, out, _ = run(capsys, "check", tmp_path)

    source, caret = out.split("\n")[2:4]
    assert caret.index("^") == source.index("{")
    long = ledgers.STUDY.replace("read: abstract", f"interests: {'y' * 300}  # z\nread: abstrakt")
    ledgers.write(tmp_path, {STUDY: long.replace("y  # z", "y #z")})
    _, out, _ = run(capsys, "check", tmp_path)
    source, caret = out.split("\n")[2:4]
    assert source[caret.index("^")] == "#"
    assert len(source) < 120


def test_a_warning_shows_and_exits_0_and_notes_are_only_counted(capsys, tmp_path):
    references = ledgers.REFERENCES.replace("x-status = {none}", "x-status = {retracted}", 1)
    references += "@article{unused, title = {T}, x-status = {none}, x-status-on = {2026-01-31}}\n"
    ledgers.write(tmp_path, {"references.bib": references})

    code, out, _ = run(capsys, "check", tmp_path)

    assert code == 0
    assert "W801" in out
    assert "W707" not in out
    assert out.endswith(": 1 warning, 1 note\n")


def test_a_finding_that_a_flag_acknowledges_is_counted_as_known(capsys, tmp_path):
    references = ledgers.REFERENCES.replace("x-status = {none}", "x-status = {retracted}", 1)
    flagged = ledgers.STUDY + 'flags: [{code: W801, what: "retracted", why: "kept to show it"}]\n'
    ledgers.write(tmp_path, {"references.bib": references, STUDY: flagged})

    code, out, _ = run(capsys, "check", tmp_path)

    assert code == 0
    assert out.endswith(": no problems; 1 finding acknowledged by flags\n")


def test_a_flag_never_hides_an_error(capsys, tmp_path):
    flagged = WRONG + 'flags: [{code: E302, what: "known", why: "no"}]\n'
    ledgers.write(tmp_path, {STUDY: flagged})

    code, out, _ = run(capsys, "check", tmp_path)

    assert code == 1
    assert "E302" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "nowhere"], "no ledger at nowhere: there is no such folder"),
        (["check", "."], "no ledger at .: it holds no evidence/ folder"),
        (["check", "--explain", "E999"], "there is no code E999"),
        (["show", "nothing"], "nothing bears the id 'nothing'"),
        (["new", "study", "x-1"], "no ledger here or above"),
        (["report", "--path", "nowhere"], "no ledger at nowhere"),
    ],
)
def test_what_cannot_run_exits_2_with_one_sentence_on_the_error_stream(
    capsys, tmp_path, monkeypatch, arguments, said
):
    monkeypatch.chdir(tmp_path)

    code, out, err = run(capsys, *arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("mesoevidence: ")


def test_a_record_that_is_not_filled_in_yet_is_not_called_unknown(capsys, tmp_path, monkeypatch):
    (tmp_path / "evidence").mkdir()
    (tmp_path / "references.bib").touch()
    monkeypatch.chdir(tmp_path)
    run(capsys, "new", "claim", "my-claim")

    code, _, err = run(capsys, "show", "my-claim")

    assert code == 2
    assert "evidence/claims/my-claim.yaml cannot be read as it stands: run `mesoevidence check`" in err


@pytest.mark.parametrize(
    "arguments", [[], ["chek"], ["check", "--format", "xml"], ["new", "paper", "x"], ["show"]]
)
def test_a_misspelt_command_exits_2_and_shows_the_usage(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)

    assert stopped.value.code == 2
    assert "usage: mesoevidence" in capsys.readouterr().err


def test_without_a_ledger_the_shipped_one_is_checked_and_that_is_said(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, out, err = run(capsys, "check")

    assert code == 0
    assert err == "mesoevidence: no ledger here or above: this is the one that ships with mesoevidence\n"
    assert f"on {len(me.load().ledger.records):,} records" in out


def test_the_shipped_ledger_has_no_error(capsys):
    assert run(capsys, "check", Path(me.__file__).parent.parent)[0] == 0


def test_json_has_exactly_the_shape_that_is_promised(capsys, wrong):
    code, out, _ = run(capsys, "check", wrong, "--format", "json")
    content = json.loads(out)

    assert code == 1
    assert list(content) == ["records", "checks", "problems"]
    assert (content["records"], content["checks"]) == (4, me.load(wrong).checked.checks)
    assert content["problems"] == [
        {
            "code": "E302",
            "severity": "error",
            "path": STUDY,
            "line": 13,
            "column": 21,
            "message": "13 does not occur in the figures: 12 of 20 v 5 of 20",
            "hint": "copy the figure as printed, or set `method: calculated` and say how",
        }
    ]


def test_json_lists_notes_as_well(capsys, tmp_path):
    ledgers.write(tmp_path, {"references.bib": ledgers.REFERENCES + "@article{unused, title = {T}}\n"})

    content = json.loads(run(capsys, "check", tmp_path, "--format", "json")[1])

    assert [(item["code"], item["severity"]) for item in content["problems"]] == [
        ("W707", "note"),
        ("W803", "note"),
    ]


# What SARIF 2.1.0 asks of a log, as far as one tool and its results go (OASIS, sections 3.13 to 3.30).
_PLACE = {
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {"required": ["uri"], "properties": {"uri": {"pattern": "^[^\\\\:]+$"}}},
                "region": {
                    "required": ["startLine"],
                    "properties": {
                        name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn")
                    },
                },
            },
        }
    },
}
SARIF = {
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"required": ["driver"], "properties": {"driver": {"required": ["name"]}}},
                    "results": {
                        "items": {
                            "required": ["message", "ruleId", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "locations": {"items": _PLACE},
                            },
                        }
                    },
                },
            }
        },
    },
}


def test_sarif_names_rule_level_place_and_remedy(capsys, wrong):
    log = json.loads(run(capsys, "check", wrong, "--format", "sarif")[1])

    jsonschema.validate(log, SARIF)
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("E302", "error")
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == (
        STUDY,
        {"startLine": 13, "startColumn": 21},
    )
    assert [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]] == ["E302"]


def test_github_shows_each_problem_beside_its_line(capsys, tmp_path):
    claim = ledgers.CLAIM.replace("kind: benefit", 'kind: "a%b"')
    ledgers.write(tmp_path, {"evidence/claims/tea-keeps-awake.yaml": claim})

    code, out, _ = run(capsys, "check", tmp_path, "--format", "github")

    assert code == 1
    assert out.startswith(
        "::error file=evidence/claims/tea-keeps-awake.yaml,line=3,col=7,title=E205::`kind` is not"
    )
    assert "a%25b" in out
    assert out.count("\n") == 1


@pytest.mark.parametrize("code", ["E304", "e304"])
def test_a_code_is_explained_with_an_example(capsys, code):
    exit_code, out, _ = run(capsys, "check", "--explain", code)

    assert exit_code == 0
    assert out.startswith("E304 (error): a calculation that does not come out\n\n")
    assert 'For example:\n\n    events: 55   how: "62.8 % x 86 = 55"\n' in out


def test_every_code_can_be_explained(capsys):
    for code, meaning in CODES.items():
        _, out, _ = run(capsys, "check", "--explain", code)
        assert meaning.why in out


def test_a_reader_that_goes_away_leaves_no_traceback(wrong):
    for number in range(400):
        (wrong / f"evidence/studies/s-{number}.yaml").write_text(WRONG.replace("smith-2001", f"s-{number}"))
    words = f"{sys.executable} -m mesoevidence check {wrong} | head -n 1"
    environment = {**os.environ, "PYTHONPATH": str(Path(me.__file__).parent.parent)}

    done = subprocess.run(words, shell=True, env=environment, capture_output=True, text=True, check=False)

    assert done.stdout.startswith("evidence/studies/s-0.yaml:13:21: E302")
    assert done.stderr == ""


def test_colour_is_for_terminals_only(wrong):
    assert b"\x1b" not in command("check", wrong).stdout


def test_check_imports_neither_pandas_nor_matplotlib(good):
    code = (
        "import sys; from mesoevidence.cli import main; main(['check', sys.argv[1]]);"
        "print(sorted({'pandas', 'matplotlib', 'nbclient', 'jinja2', 'IPython'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(me.__file__).parent.parent)}

    done = subprocess.run(
        [sys.executable, "-c", code, good], env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.endswith("\n[]\n")


# show --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (
            "tea-keeps-awake",
            ["tea-keeps-awake: Green tea keeps adults awake", "overstated", "draft, unreviewed"],
        ),
        ("smith-2001", ["evening", "12", "Smith A, Jones B. Tea and sleep."]),
        ("tea-v-water", ["RR", "REML"]),
        ("tea", ["Awake or not", "dichotomous"]),
        ("smith2001", ["Smith A, Jones B. Tea and sleep. J Tea. 2001;3:1-9."]),
    ],
)
def test_a_record_or_reference_is_shown_as_a_readable_card(capsys, good, name, shown):
    code, out, err = run(capsys, "show", name, "--path", good)

    assert (code, err) == (0, "")
    assert all(part in out for part in shown)
    assert all(len(line) <= 100 for line in out.split("\n") if "http" not in line)


def test_a_misspelt_id_names_the_nearest(capsys, good):
    code, _, err = run(capsys, "show", "smith-2010", "--path", good)

    assert code == 2
    assert "did you mean 'smith-2001'?" in err


# new and schema ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "folder"),
    [("claim", "claims"), ("study", "studies"), ("synthesis", "syntheses"), ("topic", "topics")],
)
def test_a_new_record_is_a_commented_template_in_its_place(capsys, good, kind, folder):
    code, out, _ = run(capsys, "new", kind, "brand-new", "--path", good)
    path = good / "evidence" / folder / "brand-new.yaml"

    assert code == 0
    assert out == f"{path}\nfill it in, then run `mesoevidence check`\n"
    first, second, *_ = path.read_text().split("\n")
    assert first == f"# yaml-language-server: $schema=../schema/{kind}.json"
    assert second == "id: brand-new"
    assert "  # " in path.read_text()


def test_an_id_that_another_kind_of_record_bears_is_refused(capsys, good):
    code, _, err = run(capsys, "new", "claim", "smith-2001", "--path", good)

    assert code == 2
    assert "studies/smith-2001.yaml is there already" in err.replace("\n", " ")
    assert not (good / "evidence/claims/smith-2001.yaml").exists()


def test_what_is_there_is_never_overwritten(capsys, good):
    before = (good / STUDY).read_bytes()

    code, _, err = run(capsys, "new", "study", "smith-2001", "--path", good)

    assert code == 2
    assert "never overwritten" in err
    assert (good / STUDY).read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_a_link_that_leads_nowhere_is_not_overwritten_either(capsys, good):
    (good / "evidence/studies/x-1.yaml").symlink_to("nowhere")

    assert run(capsys, "new", "study", "x-1", "--path", good)[0] == 2
    assert (good / "evidence/studies/x-1.yaml").is_symlink()


@pytest.mark.parametrize("name", ["Smith-2001", "a_b", "../x", "a/b", "", "-a", "a" * 65, "con", "com1", "ä"])
def test_an_id_out_of_pattern_makes_no_file(capsys, good, name):
    before = sorted(good.rglob("*"))

    code, _, err = run(capsys, "new", "study", "--path", good, "--", name)

    assert code == 2
    assert "out of pattern" in err
    assert sorted(good.rglob("*")) == before


def test_a_new_record_lands_in_the_nearest_ledger_upward(capsys, good, monkeypatch):
    (good / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(good / "deep" / "down")

    assert run(capsys, "new", "topic", "brand-new")[0] == 0
    assert (good / "evidence/topics/brand-new.yaml").is_file()


@pytest.mark.parametrize("kind", ["claim", "study", "synthesis", "topic"])
def test_the_schema_is_printed_as_json(capsys, kind):
    code, out, _ = run(capsys, "schema", kind)

    assert code == 0
    assert json.loads(out)["title"] == f"mesoevidence {kind}"


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])

    assert (stopped.value.code, capsys.readouterr().out) == (0, f"mesoevidence {me.__version__}\n")


# init --------------------------------------------------------------------------------------------


def test_init_begins_a_ledger_of_each_kind_that_passes_check(capsys, tmp_path):
    code, out, err = run(capsys, "init", tmp_path / "mine")
    assert (code, err) == (0, "")
    assert "replace them" in out

    code, out, _ = run(capsys, "check", tmp_path / "mine")

    assert code == 0
    assert "on 4 records: 2 notes" in out  # nobody asked a retraction database about what was made up
    evidence = me.load(tmp_path / "mine")
    shelves = (evidence.topics, evidence.studies, evidence.syntheses, evidence.claims)
    assert [len(shelf) for shelf in shelves] == [1, 1, 1, 1]


def test_each_example_of_init_says_that_it_was_made_up(tmp_path):
    evidence = me.load(me.init(tmp_path / "mine")[0].parents[2])

    for shelf in (evidence.topics, evidence.studies, evidence.syntheses, evidence.claims):
        assert all("made up" in entry.note for entry in shelf.values())
    assert all("made up" in item.title for item in evidence.references.values())


def test_init_never_overwrites_and_writes_nothing_where_something_stands(capsys, tmp_path):
    (tmp_path / "references.bib").write_text("mine")

    code, _, err = run(capsys, "init", tmp_path)

    assert code == 2
    assert "references.bib is there already and is never overwritten" in err
    assert [path.name for path in tmp_path.iterdir()] == ["references.bib"]
    assert (tmp_path / "references.bib").read_text() == "mine"


def test_init_into_a_file_is_one_clear_sentence(capsys, tmp_path):
    (tmp_path / "mine").write_text("in the way")

    code, _, err = run(capsys, "init", tmp_path / "mine")

    assert code == 2
    assert "cannot be made" in err
