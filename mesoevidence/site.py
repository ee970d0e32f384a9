"""The pages of the report: where each stands, and what its template asks of the ledger."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pandas as pd

from mesoevidence import __version__, appraisal, console, files, pages, tables, writers
from mesoevidence.audits import articles, audit
from mesoevidence.bodies import label_of, participants
from mesoevidence.certainty import SYMBOLS, rate, strength_of
from mesoevidence.charts.chart import Chart
from mesoevidence.charts.evidence_map import evidence_map
from mesoevidence.charts.forest import forest
from mesoevidence.charts.overclaim import overclaim
from mesoevidence.charts.risk_of_bias import traffic_light
from mesoevidence.conclusions import conclude, prospects
from mesoevidence.documents import Picture, pictures
from mesoevidence.evidence import Evidence
from mesoevidence.fields import ID, RESERVED
from mesoevidence.formulas import MEASURES
from mesoevidence.ledger import Ledger
from mesoevidence.notebooks import Page
from mesoevidence.pooled import model_said
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.progress import Steps
from mesoevidence.summaries import summary_of_findings
from mesoevidence.vocabulary import DESIGNS, EvidenceStrength, VerdictWord, words

TITLE = "What is claimed, and what is known"
FOLDERS: Mapping[str, str] = {
    "topic": "topics", "article": "articles", "claim": "claims", "study": "studies", "synthesis": "syntheses"
}  # fmt: skip
_MARK = '<meta name="generator" content="mesoevidence">'


class Sheet(NamedTuple):
    """One page: where it stands from the first page, its template, its title, and what it alone shows."""

    path: str
    template: str
    title: str
    values: Mapping[str, object]


def address(kind: str, identifier: str) -> str:
    """Return where the page of a record stands, seen from the first page.

    Raises
    ------
    EvidenceError
        When the name would not make a file inside the report's folder.

    Examples
    --------
    >>> address("claim", "tea-keeps-awake"), address("ref", "smith2001")
    ('claims/tea-keeps-awake.html', 'references.html#ref-smith2001')
    """
    if not _is_name(identifier):
        raise EvidenceError(f"{identifier[:80]!r} is no name for a page")
    return f"references.html#ref-{identifier}" if kind == "ref" else f"{FOLDERS[kind]}/{identifier}.html"


def _is_name(text: str) -> bool:
    return bool(ID.fullmatch(text)) and len(text) <= 120 and text not in RESERVED


def write(evidence: Evidence, executed: list[Page], digest: str, folder: Path, steps: Steps) -> None:
    """Write every page, and remove pages of records that an earlier report showed and this one does not.

    The first page comes last, so that one with the digest of these inputs stands for a whole report.
    """
    asked = {"digest": digest, **_asked(evidence, executed)}
    sheets = list(_sheets(evidence.ledger, asked, executed))
    written = set()
    steps.begin("writing pages", len(sheets))
    for sheet in sheets:
        base = "../" * sheet.path.count("/")
        text = pages.page(
            sheet.template,
            path=sheet.path,
            title=sheet.title,
            base=base,
            href=lambda kind, identifier, base=base: base + address(kind, identifier),
            **asked,
            **sheet.values,
        )
        files.write(folder / sheet.path, text, lasting=False)
        written.add(folder / sheet.path)
        steps.advance()
    for name in FOLDERS.values():
        for path in sorted((folder / name).glob("*.html")):
            if path not in written and _MARK in path.read_text("utf-8", "replace")[:2000]:
                path.unlink()


def _sheets(ledger: Ledger, asked: Mapping[str, object], executed: Sequence[Page]) -> Iterator[Sheet]:
    """Yield every page of the report."""
    yield Sheet("find.html", "find", "Find a claim, a study or a synthesis", {})
    yield Sheet("references.html", "references", "References", {})
    yield Sheet("problems.html", "problems", "Problems", {})
    for page in executed:
        yield Sheet(f"{page.name}.html", "notebook", page.title, {"page": page})
    for topic in ledger.topics.values():
        yield Sheet(address("topic", topic.id), "topic", topic.label, {"topic": topic})
    found: Mapping[str, object] = asked["articles"]  # type: ignore[assignment]
    for key, sentences in found.items():
        title = ledger.references[key].title if key in ledger.references else key
        yield Sheet(address("article", key), "article", title, {"key": key, "sentences": sentences})
    for claim in ledger.claims.values():
        yield Sheet(address("claim", claim.id), "claim", claim.claim, {"claim": claim})
    for study in ledger.studies.values():
        yield Sheet(address("study", study.id), "study", _study_name(study.id, ledger), {"study": study})
    for body in ledger.syntheses.values():
        yield Sheet(address("synthesis", body.id), "synthesis", body.label or body.id, {"synthesis": body})
    yield Sheet("index.html", "index", TITLE, {})


def _asked(evidence: Evidence, executed: list[Page]) -> dict[str, object]:
    """Return what the templates ask, each thing computed once however many pages show it."""
    ledger = evidence.ledger
    found = {key: rows for key, rows in articles(ledger).items() if _is_name(key)}
    problems = evidence.problems
    return {
        "notice": files.notice(evidence.ledger.root),
        "version": __version__,
        "shipped": files.SHIPPED if evidence.shipped else "",
        "evidence": evidence,
        "ledger": ledger,
        "notebooks": executed,
        "articles": found,
        "places": {
            (key, sentence.locator, claim): number
            for key, rows in found.items()
            for number, sentence in enumerate(rows)
            for claim in sentence.claims
        },
        "problems": [problem for problem in problems if problem.severity != "note"],
        "notes": [problem for problem in problems if problem.severity == "note"],
        "problems_of": _grouped((problem.path, problem) for problem in problems),
        "summary": console.summary(evidence.checked),
        "glance": _drawn(lambda: overclaim(ledger)),
        "certainties": _certainties(ledger),
        "verdict_words": words(VerdictWord),
        "strength_words": words(EvidenceStrength),
        "designs": DESIGNS,
        "tools": appraisal.TOOLS,
        "symbols": SYMBOLS,
        "plural": console.plural,
        "persons": tables.persons,
        "certainty": strength_of,
        "web": _is_web,
        "readable": lambda word: str(word).replace("-", " ").replace("_", " "),
        **_about(evidence),
    }  # fmt: skip


def _about(evidence: Evidence) -> dict[str, object]:
    """Return what is asked about single records."""
    ledger, bias = evidence.ledger, evidence.table("risk_of_bias")
    return {
        "source_name": lambda key: _source_name(key, ledger),
        "label": lambda key: ledger.references[key].label if key in ledger.references else key,
        "study_label": lambda key: _study_name(key, ledger),
        "named": lambda slug: _named(slug, ledger),
        "topics_of": lambda entry: [key for key in tables.topics_of(entry, ledger) if key in ledger.topics],
        "conclude": cache(lambda key: conclude(ledger, key)),
        "prospects": lambda key: prospects(ledger, key),
        "rated": cache(lambda key: rate(ledger, key)),
        "participants": lambda synthesis: participants(synthesis, ledger),
        "analysis_said": lambda fixed: (
            f"{MEASURES[fixed.measure].label}, {model_said(fixed.method, fixed.test)}"
        ),
        "pooled": lambda key: _or_why(lambda: pool(ledger, key).summary()),
        "forest_of": cache(lambda key: _drawn(lambda: forest(pool(ledger, key)))),
        "map_of": lambda key: _drawn(lambda: evidence_map(evidence.select(topic=key)), dots=True),
        "gap_of": lambda key: _drawn(lambda: audit(ledger, key).chart),
        "lights_of": lambda key: _lights(key, bias, ledger),
        "findings_of": lambda topic: _findings(topic, ledger),
        "claims_on": _claims_on(ledger),
        "syntheses_of": _grouped((i.study, key) for key, s in ledger.syntheses.items() for i in s.include),
        "studies_of": _grouped((key, study.id) for study in ledger.studies.values() for key in study.reports),
    }


def _grouped(pairs: Iterable[tuple[str, object]]) -> dict[str, list[object]]:
    """Return the second parts of pairs by their first, each once."""
    found: dict[str, dict[object, None]] = {}
    for key, value in pairs:
        found.setdefault(key, {})[value] = None
    return {key: list(values) for key, values in found.items()}


def _source_name(key: str, ledger: Ledger) -> str:
    """Return a popular source as people know it, by its site: "example.org"."""
    url = ledger.references[key].fields.get("url", "") if key in ledger.references else ""
    return urlsplit(url).netloc.removeprefix("www.") or key


def _study_name(key: str, ledger: Ledger) -> str:
    """Return a study as charts name it, by first author and year where they are known."""
    return label_of(ledger, key) if key in ledger.studies else key


def _named(slug: str, ledger: Ledger) -> str:
    """Return the label of a population, an intervention or an outcome."""
    for labelled in (ledger.populations, ledger.interventions, ledger.outcomes):
        if slug in labelled:
            return labelled[slug].label
    return slug


def _certainties(ledger: Ledger) -> dict[str, int]:
    """Return how many syntheses have each certainty, the highest first."""
    levels = map(strength_of, ledger.syntheses.values())
    counts: Counter[str] = Counter(level or "not judged yet" for level in levels)
    return {word: counts[word] for word in (*words(EvidenceStrength), "not judged yet") if counts[word]}


def _claims_on(ledger: Ledger) -> dict[str, list[object]]:
    """Return, for each study and synthesis, the claims it bears on: its own lines, or through a synthesis."""
    named = [
        (line.study or line.synthesis or "", claim.id)
        for claim in ledger.claims.values()
        for line in claim.evidence
    ]
    inside = [
        (item.study, claim)
        for name, claim in named
        if name in ledger.syntheses
        for item in ledger.syntheses[name].include
    ]
    return _grouped([*named, *inside])


def _or_why(compute: Callable[[], str]) -> str:
    """Return what is computed; why nothing is, where nothing can be."""
    try:
        return compute()
    except EvidenceError as error:
        return f"not pooled: {error}"


def _drawn(draw: Callable[[], Chart], *, dots: bool = False) -> list[Picture]:
    """Return a chart, a picture a page; nothing where it cannot be drawn."""
    try:
        return pictures(draw(), dots=dots)
    except EvidenceError:
        return []


def _lights(key: str, bias: pd.DataFrame, ledger: Ledger) -> list[Picture]:
    """Return how the studies of a synthesis were judged for bias, a block for each tool."""
    part = bias[bias["study"].isin([item.study for item in ledger.syntheses[key].include])]
    part = part.assign(study=part["study"].map(lambda study: _study_name(str(study), ledger)))
    return _drawn(lambda: traffic_light(part))


def _findings(topic: str, ledger: Ledger) -> str:
    """Return the summary of findings of a topic as a part of a page; nothing where it has no synthesis."""
    try:
        document = summary_of_findings(ledger, topic=topic).document("summary")
    except EvidenceError:
        return ""
    return writers.fragment(document, bare=True)


def _is_web(text: str | None) -> bool:
    """Return whether text is an address that may become a link."""
    return bool(text) and str(text).startswith(("https://", "http://"))
