"""The disk as it can be: links, endless files, foreign bytes, vanished files, crashes, full disks."""

import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import mesoevidence as me
from mesoevidence import files
from mesoevidence.problems import EvidenceError, Problem
from tests import ledgers

STUDY = "evidence/studies/smith-2001.yaml"
LOST = "evidence/studies/lost.yaml"
UNIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX files")


def problems_of(folder):
    return [str(problem) for problem in me.load(folder).problems if problem.severity != "note"]


def loaded(folder):
    """Return what loads from a folder, within two seconds."""
    begun = time.monotonic()
    evidence = me.load(folder)
    assert time.monotonic() - begun < 2
    return evidence


@pytest.fixture
def tea(tmp_path):
    return ledgers.write(tmp_path / "tea")


# What is found -----------------------------------------------------------------------------------


@UNIX
@pytest.mark.parametrize(
    ("target", "made"),
    [
        ("../../../secret.yaml", True),
        ("lost.yaml", False),
        ("nowhere.yaml", False),
        ("/dev/zero", True),
        ("/etc/passwd", True),
        ("smith-2001.yaml", True),
    ],
)
def test_no_link_is_followed_wherever_it_leads(tea, tmp_path, target, made):
    (tmp_path / "secret.yaml").write_text(ledgers.STUDY.replace("smith-2001", "lost"))
    (tea / LOST).symlink_to(target)

    assert problems_of(tea) == [f"{LOST}:1:1: E001 this is a link"]
    assert list(loaded(tea).studies) == ["smith-2001"]


@UNIX
@pytest.mark.parametrize("folder", ["evidence/studies", "evidence"])
def test_a_folder_that_is_a_link_is_not_entered(tmp_path, folder):
    tea = ledgers.write(tmp_path / "tea")
    (tea / folder).rename(tmp_path / "elsewhere")
    (tea / folder).symlink_to(tmp_path / "elsewhere")

    evidence = me.load(tea)

    assert f"{folder}:1:1: E001 this is a link" in map(str, evidence.problems)
    assert not evidence.studies


@UNIX
@pytest.mark.parametrize("path", [LOST, "references.bib"])
def test_a_pipe_that_never_ends_is_named_and_not_waited_for(tea, path):
    (tea / path).unlink(missing_ok=True)
    os.mkfifo(tea / path)

    evidence = loaded(tea)

    assert f"{path}:1:1: E001 this is not a regular file" in problems_of(tea)
    assert list(evidence.claims) == ["tea-keeps-awake"]
    assert len(evidence.digest()) == 12


def test_a_file_of_a_gigabyte_is_named_and_not_read(tea):
    with (tea / LOST).open("wb") as file:
        file.truncate(1 << 30)

    loaded(tea)

    assert problems_of(tea) == [f"{LOST}:1:1: E002 larger than 262,144 bytes"]


def test_a_file_of_256_kib_is_read_and_one_byte_more_is_not(tea):
    text = ledgers.STUDY.replace("smith-2001", "lost")
    room = files.MAX_RECORD_BYTES - len(text)
    (tea / LOST).write_text(text + "#" * (room - 1) + "\n")
    assert problems_of(tea) == []

    (tea / LOST).write_text(text + "#" * room + "\n")

    assert problems_of(tea) == [f"{LOST}:1:1: E002 larger than 262,144 bytes"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("evidence/studies/deep/x.yaml", "evidence/studies/deep:1:1: E001 this is a folder"),
        ("evidence/studies/x.yml", "evidence/studies/x.yml:1:1: E012 a record's file ends in .yaml"),
        ("evidence/studies/X.YAML", "evidence/studies/X.YAML:1:1: E012 a record's file ends in .yaml"),
        ("evidence/x.yaml", "evidence/x.yaml:1:1: E012 no record is read from this folder"),
        ("evidence/study/x.yaml", "evidence/study/x.yaml:1:1: E012 no record is read from this folder"),
        (
            "evidence/studies/Lost.yaml",
            "evidence/studies/Lost.yaml:1:5: E102 the id `lost` is not the file's name",
        ),
    ],
)
def test_a_record_where_nobody_would_look_is_named_and_never_ignored(tea, path, message):
    (tea / path).parent.mkdir(exist_ok=True)
    (tea / path).write_text(ledgers.STUDY.replace("smith-2001", "lost"))

    assert problems_of(tea) == [message]


@pytest.mark.parametrize(
    "name", [".hidden.yaml", ".smith-2001.yaml.abc.tmp", "notes.txt", "smith-2001.yaml~"]
)
def test_what_editors_and_killed_writers_leave_is_not_read(tea, name):
    (tea / "evidence/studies" / name).write_text("no: [record")

    assert problems_of(tea) == []


@UNIX
def test_a_file_name_that_cannot_be_shown_is_shown_with_signs_that_can(tea):
    (Path(os.fsdecode(os.fsencode(tea / "evidence/studies") + b"/\xff\x1b[31m.yaml"))).write_text("id: x\n")

    (problem,) = [item for item in me.load(tea).problems if item.code[0] == "E" and "smith" not in item.path][
        :1
    ]

    assert problem.path == "evidence/studies/\ufffd\ufffd[31m.yaml"


def test_a_file_that_vanishes_between_listing_and_reading_is_one_problem(tea, monkeypatch):
    find = files.find

    def found_then_gone(root):
        result = find(root)
        (root / STUDY).unlink()
        return result

    monkeypatch.setattr(files, "find", found_then_gone)

    assert problems_of(tea) == [f"{STUDY}:1:1: E001 cannot be read: no such file or directory"]


@UNIX
@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_one_problem(tea):
    (tea / STUDY).chmod(0)

    assert problems_of(tea) == [f"{STUDY}:1:1: E001 cannot be read: permission denied"]


def test_a_ledger_without_bibliography_says_that_once_and_not_for_each_key(tea):
    (tea / "references.bib").unlink()

    assert problems_of(tea) == ["references.bib:1:1: E001 cannot be read: no such file or directory"]
    assert len(me.load(tea).digest()) == 12


@pytest.mark.parametrize(
    "path", ["evidence/topics/tea.yaml", "evidence/syntheses/tea-v-water.yaml", "references.bib"]
)
def test_what_names_a_file_that_is_broken_is_not_at_fault(tea, path):
    (tea / path).write_bytes(b"\x00" + (tea / path).read_bytes())

    evidence = me.load(tea)

    assert {problem.path for problem in evidence.problems} == {path}
    assert list(evidence.studies) == ["smith-2001"]


def test_a_folder_with_nothing_in_it_is_an_empty_ledger(tmp_path):
    (tmp_path / "evidence").mkdir()
    (tmp_path / "references.bib").touch()

    evidence = me.load(tmp_path)

    assert (evidence.problems, len(evidence.claims)) == ((), 0)


@UNIX
def test_a_current_folder_that_is_gone_falls_back_to_the_shipped_ledger(tmp_path):
    code = "import os, mesoevidence as me; os.rmdir(os.getcwd()); print(me.load().shipped)"
    (tmp_path / "gone").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(me.__file__).parent.parent)}

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "gone",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("True\n", "")


# What is read ------------------------------------------------------------------------------------


def rewritten(tea, change):
    text = ledgers.STUDY.replace("reports:", "title: Tee für Müller\nreports:")
    (tea / STUDY).write_bytes(change(text))
    return me.load(tea)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: text.replace("ü", "u\u0308").encode(),
        lambda text: text.replace("  water", "  water", 1).encode(),
        lambda text: f"# a comment\n{text}".encode(),
    ],
    ids=["byte-order mark", "CRLF", "CR", "no last newline", "decomposed", "same", "comment"],
)
def test_the_same_text_written_in_another_way_is_the_same_study(tea, change):
    plain = rewritten(tea, str.encode).studies["smith-2001"]

    evidence = rewritten(tea, change)

    assert evidence.problems == ()
    assert evidence.studies["smith-2001"] == plain
    assert plain.title == "Tee für Müller"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_right_whatever_ends_them(tea, newline):
    text = ledgers.STUDY.replace("design: rct", "design: RCT")
    (tea / STUDY).write_bytes(text.replace("\n", newline).encode())

    assert [item.split(" ")[0] for item in problems_of(tea)] == [f"{STUDY}:3:9:"]


@pytest.mark.parametrize(
    ("encoding", "place"),
    [("latin-1", "2:9: E003"), ("cp1252", "2:9: E003"), ("utf-16", "1:1: E003"), ("utf-16-le", "1:2: E004")],
)
def test_another_encoding_is_never_guessed_at(tea, encoding, place):
    text = ledgers.STUDY.replace("reports:", "title: Müller\nreports:")
    (tea / STUDY).write_bytes(text.encode(encoding))

    (problem,) = problems_of(tea)

    assert problem.startswith(f"{STUDY}:{place} ")


@pytest.mark.parametrize(
    "sign",
    [
        "\x00",
        "\x07",
        "\x0b",
        "\x1b",
        "\x7f",
        "\x85",
        "\u202e",
        "\u2066",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "\U0001ffff",
    ],
)
def test_a_sign_that_hides_or_reorders_text_is_refused_at_its_place(tea, sign):
    (tea / STUDY).write_text(
        ledgers.STUDY.replace("reports:", f"title: ab{sign}c\nreports:"), encoding="utf-8"
    )

    assert problems_of(tea) == [f"{STUDY}:2:10: E004 the character U+{ord(sign):04X} cannot be shown"]


@pytest.mark.parametrize("path", [STUDY, "references.bib"])
def test_a_real_merge_conflict_is_named_at_its_marker(tea, path):
    def git(*words):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *identity, *words], cwd=tea, capture_output=True, check=False)

    text = (tea / path).read_text()
    git("init", "-q", "-b", "one")
    git("add", ".")
    git("commit", "-qm", "a")
    git("checkout", "-qb", "two")
    (tea / path).write_text(text.replace("2001", "2002"))
    git("commit", "-qam", "b")
    git("checkout", "-q", "one")
    (tea / path).write_text(text.replace("2001", "2003"))
    git("commit", "-qam", "c")
    assert git("merge", "two").returncode == 1
    line = next(
        n for n, text in enumerate((tea / path).read_text().splitlines(), 1) if text.startswith("<<<<<<< ")
    )

    found = problems_of(tea)

    assert f"{path}:{line}:1: E005 an unsettled merge conflict" in found
    assert all(": E005 " in item for item in found if item.startswith(path))


def test_a_conflict_inside_one_entry_leaves_the_other_references_standing(tea):
    text = ledgers.REFERENCES.replace(
        "  journal = {J Tea},\n",
        "<<<<<<< HEAD\n  journal = {J Tea},\n=======\n  journal = {T J},\n>>>>>>> two\n",
    )
    (tea / "references.bib").write_text(text)

    assert problems_of(tea) == ["references.bib:2:1: E005 an unsettled merge conflict"]
    assert list(me.load(tea).references) == ["magazine2020"]


def test_the_second_record_of_an_id_is_named_with_the_first(tea):
    claim = ledgers.CLAIM.replace("tea-keeps-awake", "smith-2001")
    (tea / "evidence/claims/smith-2001.yaml").write_text(claim)

    (problem,) = [item for item in me.load(tea).problems if item.code == "E103"]

    assert str(problem) == f"{STUDY}:1:5: E103 `smith-2001` stands twice"
    assert "evidence/claims/smith-2001.yaml" in problem.hint


def test_ids_that_differ_in_case_alone_cannot_both_be_records(tea):
    (tea / "evidence/studies/Smith-2001.yaml").write_text(ledgers.STUDY.replace("smith-2001", "Smith-2001"))

    found = [item for item in problems_of(tea) if "Smith-2001" in item]

    assert len(found) == 1
    assert ": E101 " in found[0]


# What is written ---------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)

    files.write(path, "new\n")

    assert path.read_bytes() == b"new\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


@UNIX
def test_a_link_is_replaced_and_what_it_led_to_is_left_alone(tmp_path):
    (tmp_path / "target").write_text("precious")
    (tmp_path / "link").symlink_to("target")

    files.write(tmp_path / "link", "new")

    assert (tmp_path / "target").read_text() == "precious"
    assert not (tmp_path / "link").is_symlink()


def test_a_folder_in_the_way_is_one_clear_error(tmp_path):
    (tmp_path / "a").mkdir()

    with pytest.raises(EvidenceError, match="a cannot be written"):
        files.write(tmp_path / "a", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(EvidenceError, match="cannot be written: No such file or directory"):
        files.write(tmp_path / "no" / "a", "text")


CALLS = ["tempfile.mkstemp", "os.fdopen", "pathlib.Path.chmod", "os.fsync", "pathlib.Path.replace"]


@UNIX
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_whichever_call_the_disk_refuses_the_old_text_stays_and_nothing_is_left(
    tmp_path, monkeypatch, call, number
):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(call, refuse)
    with pytest.raises(EvidenceError, match=f"a.txt cannot be written: {os.strerror(number)}"):
        files.write(path, "new")
    monkeypatch.undo()

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@UNIX
def test_a_disk_that_fills_up_while_writing_leaves_the_old_text(tmp_path):
    code = """if True:
        import resource, signal, sys
        from pathlib import Path
        from mesoevidence import files
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        try:
            files.write(Path(sys.argv[1]), "x" * 100_000)
        except files.EvidenceError as error:
            print(error)
    """
    path = tmp_path / "a.txt"
    path.write_text("old")
    environment = {**os.environ, "PYTHONPATH": str(Path(me.__file__).parent.parent)}

    done = subprocess.run(
        [sys.executable, "-c", code, path], env=environment, capture_output=True, text=True, check=False
    )

    assert done.stdout == f"{path} cannot be written: File too large\n", done.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


WRITER = """if True:
    import sys
    from pathlib import Path
    from mesoevidence import files
    path, letter, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    print("ready", flush=True)
    for _ in range(times):
        files.write(path, letter * 120_000)
"""


def writer(path, letter, times):
    environment = {**os.environ, "PYTHONPATH": str(Path(me.__file__).parent.parent)}
    started = subprocess.Popen(
        [sys.executable, "-c", WRITER, path, letter, str(times)], env=environment, stdout=subprocess.PIPE
    )
    started.stdout.readline()
    return started


def whole(text):
    return len(text) == 120_000 and len(set(text)) == 1


@UNIX
def test_a_killed_writer_leaves_the_old_text_or_the_new(tmp_path):
    killed_and_whole(tmp_path, 6)


@UNIX
@pytest.mark.slow
def test_a_hundred_killed_writers_tear_nothing(tmp_path):
    killed_and_whole(tmp_path, 100)


def killed_and_whole(folder, times):
    path, chance = folder / "a.txt", random.Random(1)
    path.write_text("o" * 120_000)
    for _ in range(times):
        process = writer(path, "n", 1_000_000)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert whole(path.read_text())
    assert all(left.name.startswith(".a.txt.") for left in folder.iterdir() if left != path)


@UNIX
def test_what_killed_writers_left_is_swept_when_it_is_a_day_old(tmp_path):
    path = tmp_path / "a.txt"
    for name, age in ((".a.txt.old.tmp", 200_000), (".a.txt.new.tmp", 10), (".b.txt.old.tmp", 200_000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)

    files.write(path, "text")

    assert sorted(left.name for left in tmp_path.iterdir()) == [".a.txt.new.tmp", ".b.txt.old.tmp", "a.txt"]


@UNIX
def test_two_writers_at_once_leave_each_reader_a_whole_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("o" * 120_000)
    processes = [writer(path, letter, 60) for letter in "xy"]
    torn, reads = [], 0

    while any(process.poll() is None for process in processes):
        text = path.read_text()
        reads += 1
        torn += [] if whole(text) else [text[:20]]

    for process in processes:
        process.stdout.close()
    assert (torn, [process.returncode for process in processes]) == ([], [0, 0])
    assert reads > 10
    assert [left.name for left in tmp_path.iterdir()] == ["a.txt"]


def test_threads_that_write_one_file_each_write_it_whole(tmp_path):
    path = tmp_path / "a.txt"
    threads = [threading.Thread(target=files.write, args=(path, letter * 120_000)) for letter in "abcd"]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert whole(path.read_text())


# The same everywhere -----------------------------------------------------------------------------

SAME = """if True:
    import hashlib, os, sys, random
    scandir = os.scandir
    class shuffled(list):
        def __init__(self, path="."):
            with scandir(path) as entries:
                super().__init__(entries)
            random.Random(int(sys.argv[1])).shuffle(self)
        def __enter__(self):
            return iter(self)
        def __exit__(self, *_):
            pass
    if sys.argv[1] != "0":
        os.scandir = shuffled
    import mesoevidence as me
    from mesoevidence.cli import main
    sys.stdout.reconfigure(newline="\\n")
    code = main(["check", sys.argv[2], "--format", sys.argv[3]])
    evidence = me.load(sys.argv[2])
    tables = map(evidence.table, ("claims", "results", "problems"))
    print(code, evidence.digest(), [table.to_csv() for table in tables])
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_hash_seed_locale_time_zone_and_directory_order_change_no_byte(tmp_path, form):
    """Every study but one is at fault, and messages are not ASCII, so that there is an order to get wrong."""
    tea = ledgers.write(tmp_path)
    for number in range(12):
        text = ledgers.STUDY.replace("smith-2001", f"s-{number}").replace(
            "12 of 20", "Łukasz − 東京: 12 of 20"
        )
        path = tea / f"evidence/studies/s-{number}.yaml"
        path.write_text(text.replace("events: 12", f"events: {number}"), encoding="utf-8")
    outputs = set()
    for order, (seed, language, zone) in enumerate(
        (("0", "C", "UTC"), ("1", "C.UTF-8", "Asia/Tokyo"), ("7", "POSIX", "EST"))
    ):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "PYTHON"))}
        environment = kept | {
            "PYTHONHASHSEED": seed,
            "LC_ALL": language,
            "TZ": zone,
            "PYTHONPATH": str(Path(me.__file__).parent.parent),
            "PYTHONIOENCODING": ("ascii", "utf-8", "latin-1")[order],
        }
        done = subprocess.run(
            [sys.executable, "-c", SAME, str(order), tea, form],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.stderr == b""
        outputs.add(done.stdout)

    assert len(outputs) == 1
    assert "Łukasz − 東京".encode() in outputs.pop()


def test_a_place_is_counted_in_characters_from_one():
    text = "ab\ncü\ne\u0007"

    assert files.decode(text.encode(), "x") == Problem(
        "x", 3, 2, "E004", "the character U+0007 cannot be shown", "delete it"
    )
