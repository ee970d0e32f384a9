"""The report: the checked ledger and its executed notebooks as a small site that opens from disk."""

import os
from pathlib import Path

from mesoevidence import console, files, notebooks, site
from mesoevidence.evidence import Evidence


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
    paths = notebooks.find(root) if execute else []
    with notebooks.progress(len(paths)) as step:
        executed = [notebooks.execute(path, root, step) for path in paths]
    site.write(evidence, executed, target)
    index = target / "index.html"
    console.say_text(f"{index}\n{console.summary(evidence.checked)}")
    return index
