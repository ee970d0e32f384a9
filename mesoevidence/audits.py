"""One popular article from its first sentence to its last: what it claims, how, and what is allowed."""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from mesoevidence import console, escape, files
from mesoevidence.charts.chart import Chart, html_table
from mesoevidence.charts.overclaim import overclaim
from mesoevidence.conclusions import conclude
from mesoevidence.ledger import Ledger, of
from mesoevidence.model import Appearance, Claim
from mesoevidence.problems import EvidenceError, Problem, nearest
from mesoevidence.tables import STRENGTH, TEXT, VERDICT, WHOLE, Dtype

COLUMNS: Mapping[str, Dtype] = {
    "at": TEXT, "claim": TEXT, "says": TEXT, "kind": TEXT, "wording": TEXT, "size": TEXT,
    "citations": WHOLE, "resolved": WHOLE, "evidence_strength": STRENGTH, "overclaim": WHOLE,
    "overclaim_size": WHOLE, "verdict": VERDICT, "by_rule": VERDICT, "why": TEXT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sentence:
    """One row of the coverage table: a place in an article, and the claims it makes."""

    locator: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Audit:
    """All claims of one article.

    Attributes
    ----------
    source : str
        The article's key.
    title : str
        The article in one line.
    interest : str or None
        A commercial interest of the source, and where it shows.
    table : DataFrame
        One row for each place of the text that makes a claim, in the order of the text: the claim, its
        wording and size, its citations and how many were resolved, how certain the evidence is, by how many
        steps wording and size exceed it, the recorded verdict of the claim, the one that the rules give for
        this wording, and why.
    """

    source: str
    title: str
    interest: str | None
    table: pd.DataFrame

    @property
    def chart(self) -> Chart:
        """How far each claim is worded beyond its evidence; `charts.overclaim` has the options."""
        return overclaim(self.table, title=f"{self.title}: wording against evidence")

    def counts(self) -> dict[str, int]:
        """Return how many claims of the article have each verdict, each claim once."""
        once = self.table.drop_duplicates("claim")["verdict"]
        found = Counter("no verdict yet" if pd.isna(word) else str(word) for word in once)
        return {word: found[word] for word in (*VERDICT.categories, "no verdict yet") if found[word]}

    def __repr__(self) -> str:
        shown = ", ".join(f"{n} {word}" for word, n in self.counts().items())
        claims = console.plural(self.table["claim"].nunique(), "claim")
        return f"<Audit {self.source}: {claims}, {shown or 'none'}>"

    def _repr_html_(self) -> str:
        names = ["at", "says", "wording", "size", "evidence_strength", "overclaim", "verdict", "why"]
        shown = self.table[names].astype(object).rename(columns=lambda name: name.replace("_", " "))
        interest = f" Interest: {self.interest}." if self.interest else ""
        caption = escape.html(f"{self.title}.{interest} Verdicts are drafts, unreviewed.")
        return html_table(shown).replace("<thead>", f"<caption>{caption}</caption><thead>", 1)


def audit(data: object, source: str) -> Audit:
    """Return every claim of one popular article, in the order of its text.

    Parameters
    ----------
    data : Evidence or Ledger
        Where the claims stand.
    source : str
        The key of the article in the bibliography.

    Returns
    -------
    Audit
        Its `table` has a row for each place of the text that makes a claim.

    Raises
    ------
    EvidenceError
        When no claim appears in such a source.

    Examples
    --------
    >>> import mesoevidence as me
    >>> audit = me.audit(me.load(), "metinkerem2025")
    >>> list(audit.table.columns[:4])
    ['at', 'claim', 'says', 'kind']
    """
    ledger = of(data)
    sources = {item.source for claim in ledger.claims.values() for item in claim.appearances}
    if source not in sources:
        near = nearest(source, sources)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(sorted(sources)) or 'none'}"
        raise EvidenceError(f"no claim appears in {source!r}; {hint}")
    rows = [_row(*found, ledger) for found in _in_order(ledger, source)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).astype(dict(COLUMNS))
    reference = ledger.references.get(source)
    facts = next((topic.sources[source] for topic in ledger.topics.values() if source in topic.sources), None)
    interest = facts.interest if facts else None
    said = f"{interest.what} ({interest.at})" if interest else None
    return Audit(source, reference.title if reference else source, said, frame)


def _in_order(ledger: Ledger, source: str) -> list[tuple[Claim, Appearance]]:
    """Return the places where the source makes a claim, in the order of its text; unknown places last."""
    sentences = articles(ledger).get(source, [])
    order = [(sentence.locator, name) for sentence in sentences for name in sentence.claims]
    place = {key: at for at, key in reversed(list(enumerate(order)))}
    made = [(claim, item) for claim in ledger.claims.values() for item in claim.appearances]
    own = [(claim, item) for claim, item in made if item.source == source]
    return sorted(own, key=lambda found: place.get((found[1].at, found[0].id), len(order)))


def _row(claim: Claim, item: Appearance, ledger: Ledger) -> tuple[object, ...]:
    """Return one place; overclaim and rule go by the wording of this place, not by that of other articles."""
    here = conclude(ledger, claim.model_copy(update={"appearances": (item,)}))
    resolved = sum(citation.resolution == "resolved" for citation in item.cited)
    return (
        item.at, claim.id, claim.claim, claim.kind, item.wording, item.size, len(item.cited), resolved,
        here.strength, here.overclaim, here.overclaim_size,
        claim.verdict.judgement if claim.verdict else None, here.verdict, "; ".join(here.reasons),
    )  # fmt: skip


def articles(ledger: Ledger) -> dict[str, list[Sentence]]:
    """Return each source with its sentences: from the coverage table, else from the appearances."""
    text = files.read(ledger.root, files.COVERAGE, files.MAX_BIBLIOGRAPHY_BYTES)
    found: dict[str, list[Sentence]] = {}
    rows = csv.DictReader(io.StringIO("" if isinstance(text, Problem) else text))
    if {"article", "locator", "claims"} <= set(rows.fieldnames or ()):
        for row in rows:
            claims = tuple(word for word in (row["claims"] or "").split() if word in ledger.claims)
            found.setdefault(row["article"], []).append(Sentence(row["locator"], claims))
        return found
    for claim in ledger.claims.values():
        for item in claim.appearances:
            found.setdefault(item.source, []).append(Sentence(item.at, (claim.id,)))
    return found
