import functools
import importlib.util
import operator
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

import mesoevidence as me

ROOT = Path(__file__).parent.parent


@pytest.fixture
def run():
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_a_job_it_prints_how_it_is_used(run, capsys):
    assert run.main([]) == 2
    assert "python3 run.py report" in capsys.readouterr().err


def test_an_unknown_job_is_named(run, capsys):
    assert run.main(["reprot"]) == 2
    assert "there is no job 'reprot'" in capsys.readouterr().err


def test_an_old_python_looks_for_a_newer_one_and_says_plainly_when_there_is_none(run, capsys, monkeypatch):
    monkeypatch.setattr(run.shutil, "which", lambda _: None)

    assert run.newer(["test"]) == 1
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_the_stamp_changes_with_what_is_to_be_installed(run, tmp_path, monkeypatch):
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("one")
    monkeypatch.setattr(run, "HERE", tmp_path)
    before = run.stamp_of("dev")
    assert run.stamp_of("dev") == before
    assert run.stamp_of("dev,peers") != before

    (tmp_path / "constraints.txt").write_text("two")

    assert run.stamp_of("dev") != before


def test_the_documentation_is_built_with_its_own_extra_and_a_warning_is_an_error(run, monkeypatch):
    asked = []
    monkeypatch.setattr(run, "set_up", lambda extras: asked.append(extras) or Path("python"))
    monkeypatch.setattr(
        run.subprocess,
        "run",
        lambda command, **_: asked.append(command) or subprocess.CompletedProcess(command, 3),
    )

    assert run.main(["docs"]) == 3
    assert asked[0] == "dev,docs"
    assert {"sphinx", "-W", "docs/_build/html"} <= set(asked[1])


def test_a_broken_stamp_is_one_that_does_not_fit(run, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "VENV", tmp_path / "a folder")
    monkeypatch.setattr(run, "works", lambda python, code="": True)
    asked = []
    monkeypatch.setattr(run, "said", lambda command: asked.append(command) or 0)
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / ".stamp").write_bytes(b"\xff\xfe")

    assert run.set_up("dev") == run.set_up("dev")
    assert len(asked) == 1


def test_a_broken_environment_is_noticed(run, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    assert not run.works(tmp_path / "nothing")
    assert not run.works(broken)
    broken.write_bytes(b"\x00 no program")
    assert not run.works(broken)
    broken.chmod(0o644)
    assert not run.works(broken)
    assert run.works(Path(sys.executable))


def test_run_uses_nothing_but_the_standard_library():
    source = (ROOT / "run.py").read_text(encoding="utf-8")
    names = {
        line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }

    assert names <= set(sys.stdlib_module_names)


def test_every_requirement_is_pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *functools.reduce(operator.iadd, project["optional-dependencies"].values(), []),
    ]

    assert {re.split(r"[\[><=]", name)[0].strip().lower() for name in wanted} <= pinned


@pytest.mark.parametrize("name", ["README.md"])
def test_the_notice_stands_where_people_begin(name):
    assert me.NOTICE in " ".join((ROOT / name).read_text(encoding="utf-8").split())


@pytest.mark.slow
def test_an_environment_is_made_even_without_ensurepip(run, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "VENV", tmp_path / "a folder" / "env")
    monkeypatch.setattr(
        run, "find_spec", lambda name: None if name == "ensurepip" else importlib.util.find_spec(name)
    )
    asked = []
    monkeypatch.setattr(run, "said", lambda command: asked.append(command) or 0)

    python = run.set_up("dev")

    assert run.works(python)
    assert "--python" in asked[0]
    assert run.set_up("dev") == python
    assert len(asked) == 1


@pytest.mark.slow
def test_the_wheel_carries_the_ledger_and_works_from_another_folder(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=False, system_site_packages=False)
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    here = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    (site / "others.pth").write_text(f"{here}\n")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, site], check=True)
    code = (
        "import mesoevidence as me; e = me.load(); assert e.shipped, e; print(len(e.claims), me.__file__);"
        "import sys; from mesoevidence.cli import main; sys.exit(main(['report', '--no-execute']))"
    )

    done = subprocess.run(
        [tmp_path / "env" / "bin" / "python", "-I", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert str(site) in done.stdout
    assert "ships with mesoevidence" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert int(done.stdout.split()[0]) == len(me.load(ROOT).claims)
