import shutil
import subprocess

import pytest

import mesoevidence as me
from mesoevidence import basis, cli
from tests import ledgers

STUDY, TOPIC = "evidence/studies/smith-2001.yaml", "evidence/topics/tea.yaml"
SYNTHESIS = "evidence/syntheses/tea-v-water.yaml"
PARTS = """\
certainty:  # judged once
  system: grade
  start: {level: high, why: "a trial"}
  threshold: no-effect
  risk_of_bias: {down: 0, why: "seen"}
  inconsistency: {down: 0, why: "seen"}
  indirectness: {down: 0, why: "seen"}
  imprecision: {down: 2, why: "few"}
  publication_bias: {down: 0, why: "seen"}
  overall: {judgement: low, why: "its parts", by: ann, on: 2026-01-31}
  basis: unsigned  # replaced by sign
"""
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def write(folder, **changes):
    """Write the small ledger with a judged synthesis."""
    texts = {SYNTHESIS: ledgers.SYNTHESIS + PARTS, **changes}
    return ledgers.write(folder, {path.replace("__", "/"): text for path, text in texts.items()})


def signed(folder, monkeypatch, answer="tea-v-water", by="ann"):
    """Run the command that signs, answer its question, and return its exit code."""
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    return cli.main(["sign", "tea-v-water", "--by", by, "--path", str(folder)])


def change(folder, path, old, new):
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new), encoding="utf-8")


def stale(folder):
    return [str(problem) for problem in me.load(folder).problems if problem.code == "W501"]


def git(folder, *arguments):
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def committed(folder):
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "sign")


def test_a_judgement_that_nobody_signed_says_so_and_one_that_was_is_silent(tmp_path, monkeypatch):
    folder = write(tmp_path)

    assert stale(folder) == ["evidence/syntheses/tea-v-water.yaml:16:10: W501 not signed yet"]
    assert signed(folder, monkeypatch) == 0
    assert stale(folder) == []


def test_signing_replaces_one_value_and_nothing_else(tmp_path, monkeypatch):
    folder = write(tmp_path)
    before = (folder / SYNTHESIS).read_text(encoding="utf-8")

    signed(folder, monkeypatch)

    after = (folder / SYNTHESIS).read_text(encoding="utf-8")
    new = basis.digest(basis.inputs(me.load(folder).syntheses["tea-v-water"], me.load(folder).ledger))
    assert after == before.replace("basis: unsigned", f"basis: {new}")


@needs_git
@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (STUDY, "events: 12", "events: 11", "smith-2001 evening: tea events 12 -> 11"),
        (TOPIC, "better: higher", "better: lower", "awake better higher -> lower"),
        (SYNTHESIS, "test: knha", "test: z", "analysis test knha -> z"),
        (
            SYNTHESIS,
            "comparator: [water]}",
            "comparator: none}",
            "smith-2001 evening: comparator water -> none",
        ),
    ],
)
def test_what_changed_since_it_was_signed_is_named(tmp_path, monkeypatch, path, old, new, said):
    folder = write(tmp_path)
    signed(folder, monkeypatch)
    committed(folder)

    change(folder, path, old, new)

    assert stale(folder) == [f"evidence/syntheses/tea-v-water.yaml:16:10: W501 its inputs changed: {said}"]


@needs_git
def test_what_changed_is_named_also_when_it_was_committed_since(tmp_path, monkeypatch):
    folder = write(tmp_path)
    committed(folder)
    signed(folder, monkeypatch)
    git(folder, "commit", "-q", "-a", "-m", "sign")
    change(folder, STUDY, "events: 12", "events: 11")
    git(folder, "commit", "-q", "-a", "-m", "correct")
    change(folder, STUDY, "events: 5", "events: 6")
    git(folder, "commit", "-q", "-a", "-m", "correct again")

    assert "tea events 12 -> 11; smith-2001 evening: water events 5 -> 6" in stale(folder)[0]


@pytest.mark.parametrize(("path", "old"), [(STUDY, "design: rct"), (TOPIC, "better: higher")])
def test_an_input_that_cannot_be_read_is_named_at_its_line_and_not_as_a_change(
    tmp_path, monkeypatch, path, old
):
    folder = write(tmp_path)
    signed(folder, monkeypatch)
    change(folder, path, old, f"{old}x")

    assert stale(folder) == []
    assert [problem.path for problem in me.load(folder).problems if problem.severity == "error"] == [path]


def test_without_a_repository_it_is_stale_all_the_same(tmp_path, monkeypatch):
    folder = write(tmp_path)
    signed(folder, monkeypatch)
    change(folder, STUDY, "events: 12", "events: 11")
    monkeypatch.setenv("PATH", "")

    assert stale(folder)[0].endswith("W501 its inputs changed: what it was before is in no revision")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (STUDY, 'figures: "12 of 20 v 5 of 20"', 'figures: "12 of 20; 5 of 20"'),
        (STUDY, "id: smith-2001", "id: smith-2001\nnote: read again"),
        (TOPIC, "label: Awake or not", "label: Awake"),
        (SYNTHESIS, 'why: "few"', 'why: "few persons"'),
    ],
)
def test_prose_does_not_make_a_judgement_stale(tmp_path, monkeypatch, path, old, new):
    folder = write(tmp_path)
    signed(folder, monkeypatch)

    change(folder, path, old, new)

    assert stale(folder) == []


def test_the_risk_of_bias_of_a_result_is_an_input_and_its_reasons_are_not(tmp_path, monkeypatch):
    rob = "rob:\n  - {tool: custom, domains: {blinding: {judgement: low, why: seen}}, "
    rob += "overall: {judgement: low, why: seen, by: ann, on: 2026-01-31}}\n"
    folder = write(tmp_path, **{STUDY: ledgers.STUDY + rob})
    signed(folder, monkeypatch)

    change(folder, STUDY, "blinding: {judgement: low, why: seen}", "blinding: {judgement: low, why: told}")
    assert stale(folder) == []
    change(folder, STUDY, "overall: {judgement: low", "overall: {judgement: high")
    assert len(stale(folder)) == 1


def test_signing_shows_what_changed_and_asks(tmp_path, monkeypatch, capsys):
    folder = write(tmp_path)

    assert signed(folder, monkeypatch, answer="no") == 1
    assert "basis: unsigned" in (folder / SYNTHESIS).read_text(encoding="utf-8")
    shown = capsys.readouterr().out
    assert "tea-v-water: low, its parts" in shown and "smith-2001 evening: tea events 12" in shown


def test_only_who_judged_may_sign(tmp_path, monkeypatch, capsys):
    assert signed(write(tmp_path), monkeypatch, by="bo") == 2
    assert "the judgement is by ann" in capsys.readouterr().err


def test_a_file_or_an_input_that_changed_after_the_question_is_not_signed(tmp_path, monkeypatch, capsys):
    for path in (SYNTHESIS, STUDY):
        folder = write(tmp_path / path.split("/")[1])

        def answer(prompt, folder=folder, path=path):
            change(folder, path, "id:", "note: new\nid:") if path == SYNTHESIS else change(
                folder, path, "events: 12", "events: 11"
            )
            return "tea-v-water"

        monkeypatch.setattr("builtins.input", answer)
        assert cli.main(["sign", "tea-v-water", "--by", "ann", "--path", str(folder)]) == 2
        assert "basis: unsigned" in (folder / SYNTHESIS).read_text(encoding="utf-8")
        assert "changed since" in capsys.readouterr().err


def test_a_file_that_would_be_rewritten_elsewhere_too_is_not_signed(tmp_path, monkeypatch, capsys):
    folder = write(tmp_path)
    data = (folder / SYNTHESIS).read_bytes()
    (folder / SYNTHESIS).write_bytes(data.replace(b"\n", b"\r\n"))

    assert signed(folder, monkeypatch) == 2
    assert "bare newlines" in capsys.readouterr().err


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_quoted_basis_is_replaced_as_a_whole(tmp_path, monkeypatch, quote):
    folder = write(
        tmp_path, **{SYNTHESIS: ledgers.SYNTHESIS + PARTS.replace("unsigned", f"{quote}unsigned{quote}")}
    )

    assert signed(folder, monkeypatch) == 0
    assert stale(folder) == []


def test_there_is_no_signing_of_what_was_not_judged(tmp_path, monkeypatch, capsys):
    assert signed(ledgers.write(tmp_path), monkeypatch) == 2
    assert "no judgement of certainty" in capsys.readouterr().err


def test_a_synthesis_without_a_basis_is_told_where_to_write_one(tmp_path, monkeypatch, capsys):
    folder = write(
        tmp_path,
        **{SYNTHESIS: ledgers.SYNTHESIS + PARTS.replace("  basis: unsigned  # replaced by sign\n", "")},
    )

    assert stale(folder) == []
    assert signed(folder, monkeypatch) == 2
    assert "basis: unsigned" in capsys.readouterr().err


@needs_git
def test_opening_a_ledger_runs_no_hook_monitor_or_filter_of_its_repository(tmp_path, monkeypatch):
    folder = write(tmp_path)
    signed(folder, monkeypatch)
    committed(folder)
    trap, mark = tmp_path / "trap.sh", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {mark}\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "core.pager", "core.hooksPath", "diff.trap.textconv"):
        git(folder, "config", key, str(trap))
    (folder / ".gitattributes").write_text("*.yaml diff=trap\n")
    change(folder, STUDY, "events: 12", "events: 11")

    assert "12 -> 11" in stale(folder)[0]
    assert not mark.exists()


@needs_git
def test_opening_a_ledger_asks_no_program_about_the_signature_of_a_commit(tmp_path, monkeypatch):
    folder = write(tmp_path)
    signed(folder, monkeypatch)
    trap, mark = tmp_path / "trap.sh", tmp_path / "sprung"
    trap.write_text(
        f"#!/bin/sh\ntouch {mark}\ncat >/dev/null\n"
        "echo '[GNUPG:] SIG_CREATED ' >&2\necho -----BEGIN PGP SIGNATURE-----\n"
    )
    trap.chmod(0o755)
    git(folder, "init", "-q")
    git(folder, "config", "gpg.program", str(trap))
    git(folder, "config", "log.showSignature", "true")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-S", "-m", "sign")
    mark.unlink()
    change(folder, STUDY, "events: 12", "events: 11")

    assert "12 -> 11" in stale(folder)[0]
    assert not mark.exists()


def test_a_study_that_cannot_be_read_makes_no_judgement_stale(tmp_path, monkeypatch):
    folder = write(tmp_path)
    signed(folder, monkeypatch)

    change(folder, STUDY, "design: rct", "design: rtc")

    assert stale(folder) == []


def test_signing_what_is_signed_already_names_no_input_as_changed(tmp_path, monkeypatch, capsys):
    folder = write(tmp_path)
    assert signed(folder, monkeypatch) == 0
    assert "in no revision; it rests on" in capsys.readouterr().out

    assert signed(folder, monkeypatch) == 0
    assert "no input changed since it was signed" in capsys.readouterr().out


def test_signing_under_a_wrong_name_is_answered_with_the_nearest(tmp_path, monkeypatch, capsys):
    folder = write(tmp_path)

    assert cli.main(["sign", "tea-v-watr", "--by", "ann", "--path", str(folder)]) == 2
    assert "did you mean `tea-v-water`" in capsys.readouterr().err
