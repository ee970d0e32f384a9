"""What a ledger is made into for its readers: the site, and for each topic the reviewer's document."""

import os
from pathlib import Path

from mesoevidence import __version__, files, notebooks, site, word, writers
from mesoevidence.evidence import Evidence
from mesoevidence.problems import EvidenceError
from mesoevidence.progress import progress
from mesoevidence.reviews import SECTIONS, review


def write_report(
    evidence: Evidence,
    folder: str | os.PathLike[str] = "report",
    *,
    execute: bool = True,
    quiet: bool = False,
) -> Path:
    """Write the ledger and its executed notebooks as a small site that opens from disk.

    Parameters
    ----------
    evidence : Evidence
        What `load` returns; its problems are shown, never hidden.
    folder : path
        Where to write; it is made when it is not there.
    execute : bool
        Whether to execute the notebooks that stand beside the ledger, which runs their code.
    quiet : bool
        Whether to show no progress; none is shown where there is no terminal.

    Returns
    -------
    Path
        The first page, `index.html`.

    Raises
    ------
    EvidenceError
        When a cell fails (with notebook, cell and message), or the folder cannot be written.
    """
    target = Path(folder)
    for name in ("", *site.FOLDERS.values()):
        files.make_folder(target / name)
    root = evidence.ledger.root
    digest = _digest(evidence, execute)
    with progress(quiet=quiet) as steps:
        paths = notebooks.find(root) if execute else []
        executed = [notebooks.execute(path, root, steps) for path in paths]
        site.write(evidence, executed, digest, target, steps)
    return target / "index.html"


def write_review(
    evidence: Evidence, topic: str, path: str | os.PathLike[str], *, quiet: bool = False
) -> Path:
    """Write the reviewer's document of a topic, for Word, as HTML, in Markdown or in LaTeX.

    It has the questions, the summary of findings, the certainty with its reasons, a forest plot of each
    question that was pooled, the included studies, what articles claim against that, the methods, the
    references in Vancouver style, and the notice. The same records give the same bytes.

    Parameters
    ----------
    evidence : Evidence
        What `load` returns.
    topic : str
        The id of the topic.
    path : path
        Ends in .docx, .html, .md or .tex; pictures of the last two are written beside it.
    quiet : bool
        Whether to show no progress; none is shown where there is no terminal.

    Returns
    -------
    Path
        The document.

    Raises
    ------
    EvidenceError
        When there is no such topic or form, or the disk refuses.

    Examples
    --------
    >>> import mesoevidence as me, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     me.write_review(me.load(), "mesotherapy", f"{folder}/mesotherapy.md").name
    'mesotherapy.md'
    """
    target = Path(path)
    if target.suffix not in FORMS:
        raise EvidenceError(f"a review is written as {', '.join(FORMS)}, not as {target.name!r}")
    with progress(quiet=quiet) as steps:
        steps.begin(f"writing {target.name}", len(SECTIONS))
        made = review(evidence, topic, steps.advance)
    files.make_folder(target.parent)
    writers.write(made, target)
    return target


def is_current(evidence: Evidence, path: str | os.PathLike[str], *, execute: bool = True) -> bool:
    """Return whether a report or review was made from the inputs as they are now, by this version.

    Parameters
    ----------
    evidence : Evidence
        What `load` returns.
    path : path
        A review, or the `index.html` of a report.
    execute : bool
        Whether executed notebooks stand in it; in a review there are none.

    Raises
    ------
    EvidenceError
        When it is not there, or cannot be read.

    Examples
    --------
    >>> import mesoevidence as me, tempfile
    >>> evidence = me.load()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = me.write_review(evidence, "mesotherapy", f"{folder}/mesotherapy.md")
    ...     me.is_current(evidence, made, execute=False)
    True
    """
    target = Path(path)
    try:
        text = word.words(target) if target.suffix == ".docx" else target.read_text("utf-8", "replace")
    except OSError as error:
        raise EvidenceError(f"{target} cannot be read: {error.strerror}") from error
    return f"mesoevidence {__version__}" in text and _digest(evidence, execute) in text


def _digest(evidence: Evidence, execute: bool) -> str:
    """Return the digest of everything a report is made from: the records, and the notebooks if they run."""
    root = evidence.ledger.root
    paths = notebooks.find(root) if execute else []
    return evidence.digest(*(path.relative_to(root).as_posix() for path in paths))


FORMS = (".docx", ".html", ".md", ".tex")
