"""The report: the checked ledger and its executed notebooks as a folder of pages that open from disk."""

import base64
import csv
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import mistune
import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from mesoevidence import NOTICE, __version__, console, files, tables
from mesoevidence.conclusions import evidence_strength
from mesoevidence.evidence import Evidence
from mesoevidence.ledger import Ledger
from mesoevidence.problems import EvidenceError, Problem

# Nothing from any other server, no script at all; styles and pictures stand in the page itself.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
SECONDS_PER_CELL = 300

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_MARKDOWN = mistune.create_markdown(escape=True, plugins=["table"])


@dataclass(frozen=True, slots=True)
class Sentence:
    """One row of the coverage table: a place in an article, and the claims it makes."""

    locator: str
    claims: tuple[str, ...]


def write_report(
    evidence: Evidence, folder: str | os.PathLike[str] = "report", *, execute: bool = True
) -> Path:
    """Write the report of a ledger and return the path of its first page.

    Parameters
    ----------
    evidence : Evidence
        What `load` returns; its problems are shown, never hidden.
    folder : path
        Where to write; it is made when it is not there.
    execute : bool
        Whether to execute the notebooks that stand beside the ledger, which runs their code.

    Raises
    ------
    EvidenceError
        When a cell fails (with notebook, cell and message), or the folder cannot be written.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvidenceError(f"{target} cannot be made: {error.strerror}") from error
    head = {
        "notice": NOTICE,
        "version": __version__,
        "digest": evidence.digest(),
        "policy": POLICY,
        "shipped": files.SHIPPED if evidence.shipped else "",
    }
    paths = sorted((evidence.ledger.root / "notebooks").glob("[0-9]*.ipynb")) if execute else []
    pages = []
    with console.progress(len(paths)) as step:
        for path in paths:
            notebook = _executed(path, evidence.ledger.root, step)
            page = _notebook_page(notebook, path.stem, head)
            files.write(target / f"{path.stem}.html", page)
            pages.append((f"{path.stem}.html", _title(notebook, path.stem)))
    index = target / "index.html"
    files.write(index, _index(evidence, pages, head))
    console.say_text(f"{index}\n{console.summary(evidence.checked)}")
    return index


def _index(evidence: Evidence, notebooks: list[tuple[str, str]], head: Mapping[str, str]) -> str:
    """Return the first page."""
    ledger = evidence.ledger
    shown = [problem for problem in evidence.problems if problem.severity != "note"]
    return _PAGES.get_template("index.html.j2").render(
        **head,
        title="The state of the evidence",
        evidence=evidence,
        ledger=ledger,
        notebooks=notebooks,
        articles=_articles(ledger),
        strength=lambda claim: evidence_strength(claim, ledger),
        certainty=tables.certainty_of,
        participants=lambda synthesis: tables.participants(synthesis, ledger),
        label=lambda key: ledger.references[key].label if key in ledger.references else key,
        problems=shown,
        notes=len(evidence.problems) - len(shown),
        acknowledged=evidence.checked.acknowledged,
        summary=console.summary(evidence.checked),
        web=_is_web,
    )


def _articles(ledger: Ledger) -> dict[str, list[Sentence]]:
    """Return each source with its sentences: from the coverage table, else from the appearances."""
    text = files.read(ledger.root, "evidence/coverage.csv", files.MAX_BIBLIOGRAPHY_BYTES)
    found: dict[str, list[Sentence]] = {}
    if not isinstance(text, Problem):
        for row in csv.DictReader(io.StringIO(text)):
            claims = tuple(word for word in row["claims"].split() if word in ledger.claims)
            found.setdefault(row["article"], []).append(Sentence(row["locator"], claims))
        return found
    for claim in ledger.claims.values():
        for item in claim.appearances:
            found.setdefault(item.source, []).append(Sentence(item.at, (claim.id,)))
    return found


def _executed(path: Path, root: Path, step: console.Step) -> NotebookNode:
    """Return a notebook executed from top to bottom.

    Raises
    ------
    EvidenceError
        When a cell fails or takes too long.
    """
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path.name} cannot be read as a notebook: {error}") from error
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    step.begin(path.stem, cells)
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(root)}},
        on_cell_executed=lambda **_: step.cell(),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        number = _failed_cell(notebook)
        message = f"{path.name}, cell {number} fails: {error.ename}: {error.evalue}"
        raise EvidenceError(message) from error
    except TimeoutError as error:
        raise EvidenceError(f"{path.name}: a cell takes longer than {SECONDS_PER_CELL} s") from error
    return notebook


def _failed_cell(notebook: NotebookNode) -> int:
    """Return the number, counted from 1, of the cell that raised."""
    for number, cell in enumerate(notebook.cells, 1):
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            return number
    return len(notebook.cells)


def _notebook_page(notebook: NotebookNode, name: str, head: Mapping[str, str]) -> str:
    """Return an executed notebook as a page of our own."""
    cells = [(cell.cell_type, cell.source, _shown(cell)) for cell in notebook.cells]
    return _PAGES.get_template("notebook.html.j2").render(**head, title=_title(notebook, name), cells=cells)


def _title(notebook: NotebookNode, name: str) -> str:
    """Return a notebook's first heading, or its name."""
    for cell in notebook.cells:
        first = cell.source.splitlines()[0] if cell.source else ""
        if cell.cell_type == "markdown" and first.startswith("#"):
            return first.lstrip("# ").strip()
    return name


def _shown(cell: NotebookNode) -> list[Markup]:
    """Return what a cell shows, as HTML."""
    if cell.cell_type == "markdown":
        return [Markup(_MARKDOWN(cell.source))]  # noqa: S704 - the renderer escapes HTML
    return [piece for output in cell.get("outputs", ()) for piece in _output(output)]


def _output(output: NotebookNode) -> Iterator[Markup]:
    """Yield one output in the richest form a page without scripts can show."""
    if output.output_type == "stream":
        yield Markup('<pre class="{}">{}</pre>').format(output.name, output.text)
        return
    data = output.get("data", {})
    if "text/html" in data:
        yield Markup('<div class="output">{}</div>').format(Markup(_joined(data["text/html"])))  # noqa: S704 - escaped by its maker
    elif "image/svg+xml" in data:
        content = base64.b64encode(_joined(data["image/svg+xml"]).encode()).decode()
        yield Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">').format(_plain(data), content)
    elif "image/png" in data:
        content = "".join(_joined(data["image/png"]).split())
        yield Markup('<img alt="{}" src="data:image/png;base64,{}">').format(_plain(data), content)
    elif "text/markdown" in data:
        yield Markup(_MARKDOWN(_joined(data["text/markdown"])))  # noqa: S704 - the renderer escapes HTML
    elif "text/plain" in data:
        yield Markup("<pre>{}</pre>").format(_plain(data))


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _plain(data: Mapping[str, str | list[str]]) -> str:
    return _joined(data.get("text/plain", ""))


def _is_web(text: str | None) -> bool:
    """Return whether text is an address that may become a link."""
    return bool(text) and str(text).startswith(("https://", "http://"))
