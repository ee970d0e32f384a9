"""What README says can be done can be done."""

import re
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import mesoevidence as me
from mesoevidence import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_link_and_picture_is_there():
    targets = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)

    assert "docs/picture.svg" in targets
    for target in targets:
        assert (ROOT / target).is_file(), target


def test_every_folder_and_file_it_names_is_there():
    named = re.findall(r"`((?:[a-z]+/)+[a-z_.]*|[A-Za-z.-]+\.(?:bib|csv|md|py)|LICENSE[A-Z-]*)`", README)

    assert "notebooks/" in named
    for name in set(named) - {"report/index.html"}:  # which the command beside it writes
        assert (ROOT / name).exists() or (ROOT / "evidence" / name).exists(), name


def test_every_module_and_table_that_is_to_be_extended_is_there():
    rows = re.findall(r"^\| [^|]+ \| `(\w+)\.py`, `([A-Z]+)`", CONTRIBUTING, re.M)

    assert ("formulas", "MEASURES") in rows
    for module, table in rows:
        assert len(getattr(import_module(f"mesoevidence.{module}"), table)) > 1, (module, table)


def test_the_five_lines_of_notebook_are_five_and_run(monkeypatch):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    names = {}

    for line in code.splitlines():
        exec(line, names)

    assert len(list(filter(None, code.splitlines()))) == 5

    assert names["evidence"].claims["ha-binds-1000x-water"].verdict.judgement == "contradicted"


@pytest.mark.parametrize("line", re.findall(r"^    mesoevidence (.*)$", README, re.M))
def test_the_commands_are_commands(line, tmp_path, capsys):
    words = line.split("#")[0].split()
    parts = {"new": ["--path", str(tmp_path)], "check": [] if "--explain" in words else [str(ROOT)]}
    (tmp_path / "evidence").mkdir()
    (tmp_path / "references.bib").write_text("")
    if words[0] == "show":
        cli.main(["new", "claim", words[1], "--path", str(tmp_path)])
        assert (tmp_path / "evidence" / "claims" / f"{words[1]}.yaml").is_file()
        words[1], parts["show"] = "ha-binds-1000x-water", ["--path", str(ROOT)]

    assert cli.main([*words, *parts[words[0]]]) == 0
    assert capsys.readouterr().out


def test_the_picture_is_the_chart_of_all_claims_as_the_library_draws_it_now(tmp_path):
    space = "{http://www.w3.org/2000/svg}"
    me.overclaim(me.load(ROOT)).save(tmp_path / "picture.svg")
    now, kept = (
        ET.fromstring((folder / "picture.svg").read_text(encoding="utf-8"))
        for folder in (tmp_path, ROOT / "docs")
    )

    assert kept.get("role") == "img"
    for kind in ("title", "desc", "text"):
        found = [[part.text for part in root.iter(f"{space}{kind}")] for root in (now, kept)]
        assert found[0] == found[1], 'me.overclaim(me.load()).save("docs/picture.svg") draws it anew'
    assert re.search(r"!\[How strongly claims are worded[^\]]*\]\(docs/picture.svg\)", README)
