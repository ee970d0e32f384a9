"""Reads the files of tests/bad: what the checks must say, and what differs from the small good ledger.

A file begins with the expected problems, one a line as `path:line:column: CODE message`. Sections follow,
each begun by `=== path`: the text of that file. `=== path link` makes a link to the section's text,
`=== path times N` repeats it, `=== path escaped` writes it with its backslash escapes as bytes.
"""

import codecs
from pathlib import Path

import mesoevidence as me
from mesoevidence.problems import Problem
from tests import ledgers


def sections(path: Path) -> tuple[list[str], dict[str, str]]:
    """Return the expected lines, and the sections by their headings."""
    expected, *parts = ("\n" + path.read_text(encoding="utf-8")).split("\n=== ")
    named = (part.partition("\n") for part in parts)
    return [line for line in expected.split("\n") if line], {name: text for name, _, text in named}


def found(path: Path, folder: Path) -> list[Problem]:
    """Return what the checks find in the small ledger changed as a file says, without other notes."""
    _, changes = sections(path)
    plain = {name: text.rstrip("\n") + "\n" for name, text in changes.items() if " " not in name}
    ledgers.write(folder, plain)
    for heading, text in changes.items():
        name, _, how = heading.partition(" ")
        if how == "link":
            (folder / name).symlink_to(text.strip())
        elif how == "escaped":
            (folder / name).write_bytes(codecs.decode(text.strip(), "unicode_escape").encode("latin-1"))
        elif how:
            (folder / name).write_text((text.rstrip("\n") + "\n") * int(how.split()[1]), encoding="utf-8")
    problems = me.load(folder).checked.problems
    return [problem for problem in problems if problem.severity != "note" or problem.code == path.stem]
