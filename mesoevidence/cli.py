"""The command `mesoevidence`: check, show, new, init, schema, sign, report."""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType

import mesoevidence as me
from mesoevidence import basis, checks, console, files, ledger, templates
from mesoevidence.problems import CODES, EvidenceError

OK, FOUND, CANNOT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 no errors, 1 errors found, 2 it could not run."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):  # the same bytes in every locale
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        return COMMANDS[given.command](given)
    except EvidenceError as error:
        console.say_error(str(error))
        return CANNOT
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return OK


def check(given: argparse.Namespace) -> int:
    """Check a ledger and print what was found."""
    if given.explain:
        return _explain(given.explain)
    root = _root(given.path)
    read, found = ledger.read(root)
    result = checks.check(read, found)
    console.FORMATS[given.format](result, root)
    gc.freeze()  # nothing is left to collect: the process ends here
    return FOUND if any(problem.severity == "error" for problem in result.problems) else OK


def _explain(code: str) -> int:
    """Print what a code means, with an example."""
    if code.upper() not in CODES:
        raise EvidenceError(f"there is no code {code}; codes run from {min(CODES)} to {max(CODES)}")
    console.explain(code.upper())
    return OK


def show(given: argparse.Namespace) -> int:
    """Print a claim, study, synthesis, topic or reference as a readable card."""
    console.say_text(me.load(_root(given.path)).card(given.id))
    return OK


def new(given: argparse.Namespace) -> int:
    """Write a commented template for a new record; an existing file is never overwritten."""
    root = files.root_of(given.path) if given.path else files.nearest_root()
    if root is None:
        raise EvidenceError(
            "no ledger here or above: make evidence/ and an empty references.bib, or name a --path"
        )
    path = templates.path_of(root, given.kind, given.id)
    for other in (path, *root.glob(f"evidence/*/{given.id}.yaml")):
        if os.path.lexists(other):
            raise EvidenceError(f"{other} is there already and is never overwritten; choose another id")
    files.make_folder(path.parent)
    files.write(path, templates.template(given.kind, given.id))
    console.say_text(f"{path}\nfill it in, then run `mesoevidence check`")
    return OK


def init(given: argparse.Namespace) -> int:
    """Begin a ledger of your own topic with one example of each kind; nothing is ever overwritten."""
    written = templates.init(given.folder)
    said = "the examples are made up: replace them, then run `mesoevidence check`"
    console.say_text("\n".join([*map(str, written), said]))
    return OK


def schema(given: argparse.Namespace) -> int:
    """Print the JSON Schema of one kind of record, for editors."""
    sys.stdout.write(templates.schema(given.kind))
    return OK


def sign(given: argparse.Namespace) -> int:
    """Sign one judgement of certainty: show which inputs changed, ask, and replace its `basis`."""
    root = files.root_of(given.path) if given.path else files.nearest_root()
    if root is None:
        raise EvidenceError("no ledger here or above: name the folder that holds evidence/ with --path")
    asked = basis.signing(ledger.read(root)[0], given.id, given.by)
    console.say_text(
        "\n  ".join([asked.judgement, *(asked.changes or ["no input changed since it was signed"])])
    )
    try:
        answer = input(f"type {given.id} to sign it as it stands: ")
    except EOFError:
        answer = ""
    if answer.strip() != given.id:
        console.say_text("not signed")
        return FOUND
    basis.sign(root, given.id, given.by, asked)
    return OK


def report(given: argparse.Namespace) -> int:
    """Write the report, or the reviewer's document of topics; or say whether it is outdated."""
    if given.topic is not None and not given.format:
        raise EvidenceError("--topic is for the reviewer's document: name its --format too")
    evidence, output = me.load(given.path), Path(given.output)
    topics = list(evidence.topics) if given.topic is None else [given.topic]
    if given.format and not topics:
        raise EvidenceError("no topic could be read; `mesoevidence check` says why")
    names = [f"review-{topic}.{given.format}" for topic in topics] if given.format else ["index.html"]
    paths = [output / name for name in names]
    execute = not (given.no_execute or given.format)
    if given.check:
        return _outdated(evidence, paths, execute, given.quiet)
    if given.format:
        asked = zip(topics, paths, strict=True)
        made = [me.write_review(evidence, *both, quiet=given.quiet) for both in asked]
    else:
        made = [me.write_report(evidence, output, execute=execute, quiet=given.quiet)]
    if not given.quiet:
        console.say_text("\n".join([*map(str, made), console.summary(evidence.checked)]))
    return OK


def _outdated(evidence: "me.Evidence", paths: list[Path], execute: bool, quiet: bool) -> int:
    """Say of each report or review that it is not there, or was made from other inputs."""
    said = []
    for path in paths:
        try:
            if not me.is_current(evidence, path, execute=execute):
                said.append(f"{path} was made from other inputs: write it again")
        except EvidenceError as error:
            said.append(str(error))
    if said and not quiet:
        console.say_text("\n".join(said))
    return FOUND if said else OK


def _root(path: str | None) -> Path:
    """Return the ledger asked for, else the nearest one upward, else the shipped one, said aloud."""
    root, shipped = files.locate(path)
    if shipped:
        console.say_error(files.SHIPPED)
    return root


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mesoevidence", description=(me.__doc__ or "").splitlines()[0])
    parser.add_argument("--version", action="version", version=f"mesoevidence {me.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    parts = {
        name: commands.add_parser(name, help=(run.__doc__ or "").splitlines()[0])
        for name, run in COMMANDS.items()
    }
    where = "the folder that holds evidence/ and references.bib (default: the nearest one upward)"
    parts["check"].add_argument("path", nargs="?", help=where)
    parts["check"].add_argument("--format", choices=list(console.FORMATS), default="text")
    parts["check"].add_argument("--explain", metavar="CODE", help="say what a code means, with an example")
    parts["show"].add_argument(
        "id", help="the id of a claim, study, synthesis or topic, or a reference's key"
    )
    parts["new"].add_argument("kind", choices=list(templates.FOLDER_OF))
    parts["new"].add_argument("id", help="such as moftah-2013")
    parts["init"].add_argument("folder", help="where to write it; made when it is not there")
    parts["schema"].add_argument("kind", choices=list(templates.FOLDER_OF))
    parts["sign"].add_argument("id", help="the id of a synthesis; one at a time")
    parts["sign"].add_argument("--by", required=True, metavar="NAME", help="who made the judgement")
    parts["report"].add_argument(
        "--output", default="report", help="the folder to write to (default: report/)"
    )
    parts["report"].add_argument(
        "--format", choices=["docx", "html", "md", "tex"], help="write the reviewer's document of a topic so"
    )
    parts["report"].add_argument("--topic", metavar="ID", help="the topic of that document (default: each)")
    parts["report"].add_argument(
        "--check", action="store_true", help="write nothing; fail when it is older than its inputs"
    )
    parts["report"].add_argument("--quiet", action="store_true", help="show no progress, and say nothing")
    parts["report"].add_argument(
        "--no-execute", action="store_true", help="leave the notebooks out; run nothing"
    )
    for name in ("show", "new", "sign", "report"):
        parts[name].add_argument("--path", help=where)
    return parser


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = MappingProxyType(
    {"check": check, "show": show, "new": new, "init": init, "schema": schema, "sign": sign, "report": report}
)
