"""What the command prints: problems as a compiler shows them, JSON, SARIF, GitHub annotations, messages."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from rich.cells import cell_len

from mesoevidence import files
from mesoevidence.checks import Checked
from mesoevidence.problems import CODES, Problem, Severity

_COLOURS = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def say_text(text: str) -> None:
    """Print text as it is."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def say_error(text: str) -> None:
    """Print one sentence on the error stream."""
    sys.stderr.write(f"mesoevidence: {text}\n")


def explain(code: str) -> None:
    """Print what a code means, what to do, and an example."""
    meaning = CODES[code]
    example = "\n".join(f"    {line}" for line in meaning.example.split("\n"))
    say_text(f"{code} ({meaning.severity}): {meaning.title}\n\n{meaning.why}\n\nFor example:\n\n{example}")


def text(result: Checked, root: Path) -> None:
    """Print each problem with its line and a caret, then the counts; notes are only counted."""
    lines = cache(lambda path: _lines(root, path))
    if told := [problem for problem in result.problems if problem.severity != "note"]:
        from rich.console import Console  # noqa: PLC0415 - a ledger in order need not wait for it
        from rich.text import Text  # noqa: PLC0415

        console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        for problem in told:
            console.print(Text.assemble(*_shown(problem, lines(problem.path))))
    say_text(summary(result))


def _shown(problem: Problem, lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield one problem, text and colour: place and message, the source line, a caret under the place."""
    look = _COLOURS[problem.severity]
    yield f"{problem.path}:{problem.line}:{problem.column}: ", ""
    yield problem.code, look
    yield f" {problem.message}\n", ""
    if problem.line <= len(lines):
        margin = " " * len(str(problem.line))
        source = lines[problem.line - 1].expandtabs(1)
        begin = max(0, problem.column - 60) if len(source) > 100 else 0
        yield f"{margin} |\n{problem.line} | ", "blue"
        yield f"{source[begin : begin + 100]}\n", ""
        yield f"{margin} | ", "blue"
        yield " " * cell_len(source[begin : problem.column - 1]) + "^\n", look
    if problem.hint:
        yield "  = ", "blue"
        yield f"help: {problem.hint}\n", ""


def _lines(root: Path, path: str) -> list[str]:
    """Return the lines of a file that was found faulty, as far as it can be read at all."""
    found = files.read(root, path, files.MAX_BIBLIOGRAPHY_BYTES)
    return [] if isinstance(found, Problem) else found.split("\n")


def summary(result: Checked) -> str:
    """Return the counts in one line.

    >>> from mesoevidence.checks import Checked
    >>> summary(Checked((), (), 2, 14))
    '14 checks on 2 records: no problems'
    """
    counts = Counter(problem.severity for problem in result.problems)
    parts = [plural(counts[severity], severity) for severity in _LEVELS if counts[severity]]
    found = ", ".join(parts) or "no problems"
    line = f"{plural(result.checks, 'check')} on {plural(result.records, 'record')}: {found}"
    if result.acknowledged:
        line += f"; {plural(len(result.acknowledged), 'finding')} acknowledged by flags"
    return line


def plural(count: int, word: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "study"), plural(2, "study"), plural(3, "synthesis"), plural(0, "claim")
    ('1 study', '2 studies', '3 syntheses', '0 claims')
    """
    many = {"study": "studies", "synthesis": "syntheses"}.get(word, f"{word}s")
    return f"{count:,} {word if count == 1 else many}"


def as_json(result: Checked, root: Path) -> None:
    """Print everything as JSON."""
    names = ("code", "severity", "path", "line", "column", "message", "hint")
    problems = [{name: getattr(problem, name) for name in names} for problem in result.problems]
    content = {"records": result.records, "checks": result.checks, "problems": problems}
    say_text(json.dumps(content, ensure_ascii=False, indent=2))


def sarif(result: Checked, root: Path) -> None:
    """Print SARIF 2.1.0, which code hosts show beside the lines."""
    rules = [
        {"id": code, "shortDescription": {"text": CODES[code].title}, "help": {"text": CODES[code].why}}
        for code in sorted({problem.code for problem in result.problems})
    ]
    results = [
        {
            "ruleId": problem.code,
            "level": problem.severity,
            "message": {"text": _sentences(problem)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": problem.path},
                        "region": {"startLine": problem.line, "startColumn": problem.column},
                    }
                }
            ],
        }
        for problem in result.problems
    ]
    run = {"tool": {"driver": {"name": "mesoevidence", "rules": rules}}, "results": results}
    say_text(json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2))


def github(result: Checked, root: Path) -> None:
    """Print workflow commands, which GitHub shows beside the lines of a change."""
    for problem in result.problems:
        place = f"file={_property(problem.path)},line={problem.line},col={problem.column}"
        said = f"{place},title={problem.code}::{_data(_sentences(problem))}"
        say_text(f"::{_LEVELS[problem.severity]} {said}")


def _sentences(problem: Problem) -> str:
    return f"{problem.message}. {problem.hint}" if problem.hint else problem.message


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


FORMATS: Mapping[str, Callable[[Checked, Path], None]] = MappingProxyType(
    {"text": text, "json": as_json, "sarif": sarif, "github": github}
)
