"""The report: the checked ledger and its executed notebooks as a folder of pages that open from disk."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from mesoevidence import NOTICE, __version__, console, files, notebooks, tables
from mesoevidence.audits import articles
from mesoevidence.bodies import participants
from mesoevidence.certainty import strength_of
from mesoevidence.conclusions import conclude
from mesoevidence.evidence import Evidence
from mesoevidence.ledger import Ledger
from mesoevidence.model import Synthesis
from mesoevidence.notebooks import Page
from mesoevidence.pages import POLICY, render
from mesoevidence.picture import wording_picture
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.vocabulary import DESIGNS

TITLE = "What is claimed, and what is known"


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
    root = evidence.ledger.root
    paths = notebooks.find(root) if execute else []
    with console.progress(len(paths)) as step:
        pages = [notebooks.execute(path, root, step) for path in paths]
    for page in pages:
        files.write(target / f"{page.name}.html", _notebook(page, pages, head))
    index = target / "index.html"
    files.write(index, _index(evidence, pages, head))
    console.say_text(f"{index}\n{console.summary(evidence.checked)}")
    return index


def _notebook(page: Page, pages: list[Page], head: Mapping[str, str]) -> str:
    """Return the page of one executed notebook."""
    return render("notebook", **head, title=page.title, page=page, pages=pages)


def _index(evidence: Evidence, pages: list[Page], head: Mapping[str, str]) -> str:
    """Return the first page."""
    ledger = evidence.ledger
    return render(
        "index",
        **head,
        title=TITLE,
        evidence=evidence,
        ledger=ledger,
        pages=pages,
        articles=articles(ledger),
        problems=[problem for problem in evidence.problems if problem.severity != "note"],
        notes=[problem for problem in evidence.problems if problem.severity == "note"],
        summary=console.summary(evidence.checked),
        picture=wording_picture(ledger),
        **_asked_by_the_cards(ledger),
    )


def _asked_by_the_cards(ledger: Ledger) -> dict[str, object]:
    """Return what the templates of the single records ask: a page of one record would ask the same."""
    return {
        "href": lambda kind, identifier: f"#{kind}-{identifier}",
        "site": lambda key: _site(key, ledger),
        "label": lambda key: ledger.references[key].label if key in ledger.references else key,
        "named": lambda slug: _named(slug, ledger),
        "design": lambda study: DESIGNS[study.design].label,
        "persons": tables.persons,
        "conclude": lambda claim: conclude(ledger, claim),
        "certainty": strength_of,
        "participants": lambda synthesis: participants(synthesis, ledger),
        "pooled": lambda synthesis: _pooled(synthesis, ledger),
        "claims_on": _claims_on(ledger),
        "web": _is_web,
    }


def _site(key: str, ledger: Ledger) -> str:
    """Return a popular source as people know it, by its site: "example.org"."""
    url = ledger.references[key].fields.get("url", "") if key in ledger.references else ""
    return urlsplit(url).netloc.removeprefix("www.") or key


def _named(slug: str, ledger: Ledger) -> str:
    """Return the label of a population, an intervention or an outcome."""
    for labelled in (ledger.populations, ledger.interventions, ledger.outcomes):
        if slug in labelled:
            return labelled[slug].label
    return slug


def _claims_on(ledger: Ledger) -> dict[str, list[str]]:
    """Return, for each study and synthesis, the claims it bears on: its own lines, or through a synthesis."""
    found: dict[str, list[str]] = {}
    for claim in ledger.claims.values():
        named = [line.study or line.synthesis or "" for line in claim.evidence]
        inside = [
            line.study for key in named if key in ledger.syntheses for line in ledger.syntheses[key].include
        ]
        for key in dict.fromkeys([*named, *inside]):
            found.setdefault(key, []).append(claim.id)
    return found


def _pooled(synthesis: Synthesis, ledger: Ledger) -> str:
    """Return what pooling gives, line by line; why it gives nothing, where it does not."""
    try:
        return pool(ledger, synthesis.id).summary()
    except EvidenceError as error:
        return f"not pooled: {error}"


def _is_web(text: str | None) -> bool:
    """Return whether text is an address that may become a link."""
    return bool(text) and str(text).startswith(("https://", "http://"))
