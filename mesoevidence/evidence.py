"""`Evidence`: a ledger with its problems, and what a notebook wants of it."""

import csv
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import pandas as pd

from mesoevidence import cards, checks, console, escape, files, ledger, tables
from mesoevidence.bibliography import Reference
from mesoevidence.checks import Checked
from mesoevidence.ledger import Ledger
from mesoevidence.model import AnyEntry, Claim, Study, Synthesis, Topic
from mesoevidence.problems import EvidenceError, Problem, guess
from mesoevidence.selection import SELECTORS, Words
from mesoevidence.vocabulary import VerdictWord, words

Value = TypeVar("Value")


class NoSuchRecord(EvidenceError, KeyError):  # noqa: N818 - it reads as what it says
    """Raised for an id that no record bears."""

    __str__ = Exception.__str__


class Shelf(Mapping[str, Value], Generic[Value]):
    """Records of one kind by id: a read-only mapping that completes keys and names the nearest one."""

    def __init__(self, kind: str, records: Mapping[str, Value]) -> None:
        self._kind, self._records = kind, records

    def __getitem__(self, key: str) -> Value:
        if key in self._records:
            return self._records[key]
        raise NoSuchRecord(f"there is no {self._kind} {key!r}{guess(str(key), self._records)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"<{console.plural(len(self), self._kind)}>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._records)


class Problems(tuple[Problem, ...]):
    """Problems sorted by place; shown one a line."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "<no problems>"

    def _repr_html_(self) -> str:
        cells = ((item.severity, str(item), item.hint) for item in self)
        parts = ("".join(f"<td>{escape.html(part)}</td>" for part in row) for row in cells)
        rows = "".join(f"<tr>{row}</tr>" for row in parts)
        names = ("severity", "problem", "what to do")
        head = "<tr>" + "".join(f'<th scope="col">{name}</th>' for name in names) + "</tr>"
        caption = escape.html(console.plural(len(self), "problem"))
        return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything one folder says, checked.

    Attributes
    ----------
    ledger : Ledger
        Records and references alone, for the judging functions.
    checked : Checked
        What the checks found, and how many ran.
    shipped : bool
        Whether this is the ledger that comes with the library, because none was found.
    whole, conditions
        Of a selection: the evidence it was made from, and every condition it meets, in the order asked.

    Examples
    --------
    >>> import mesoevidence as me
    >>> evidence = me.load()
    >>> evidence.claims["ha-binds-1000x-water"].verdict.judgement
    'contradicted'
    """

    ledger: Ledger
    checked: Checked
    shipped: bool = False
    whole: "Evidence | None" = field(default=None, repr=False, compare=False)
    conditions: tuple[tuple[str, Any], ...] = ()

    @property
    def topics(self) -> Shelf[Topic]:
        """The topics by id."""
        return Shelf("topic", self.ledger.topics)

    @property
    def claims(self) -> Shelf[Claim]:
        """The claims by id."""
        return Shelf("claim", self.ledger.claims)

    @property
    def studies(self) -> Shelf[Study]:
        """The studies by id."""
        return Shelf("study", self.ledger.studies)

    @property
    def syntheses(self) -> Shelf[Synthesis]:
        """The syntheses by id."""
        return Shelf("synthesis", self.ledger.syntheses)

    @property
    def references(self) -> Shelf[Reference]:
        """The references by key."""
        return Shelf("reference", self.ledger.references)

    @property
    def problems(self) -> Problems:
        """The problems found, without those a flag acknowledges."""
        return Problems(self.checked.problems)

    def select(
        self,
        *,
        topic: Words | None = None,
        claim: Words | None = None,
        outcome: Words | None = None,
        design: Words | None = None,
        intervention: Words | None = None,
        year: int | tuple[int, int] | None = None,
        source: Words | None = None,
    ) -> "Evidence":
        """Return the part of the evidence that meets every condition; selections compose in any order.

        Parameters
        ----------
        topic, outcome, intervention : str or collection of str
            Slugs; records that name one of them.
        claim, source : str or collection of str
            Claims by id or by the popular source they appear in, with the evidence they name.
        design : str or collection of str
            Study designs; with the syntheses and claims that rest on such studies.
        year : int or (int, int)
            Year of a study's first report, or first and last year.

        Returns
        -------
        Evidence
            The same kind of object, so that selections compose.

        Raises
        ------
        EvidenceError
            When a word is not one the ledger knows.

        Examples
        --------
        >>> import mesoevidence as me
        >>> trials = me.load().select(topic="hair-loss", design=["rct", "quasi-rct"])
        >>> set(trials.table("studies")["design"]) <= {"rct", "quasi-rct"}
        True
        """
        asked = {
            "topic": topic, "claim": claim, "outcome": outcome, "design": design,
            "intervention": intervention, "year": year, "source": source,
        }  # fmt: skip
        whole = self.whole or self
        given = ((name, wanted) for name, wanted in asked.items() if wanted is not None)
        conditions = (*self.conditions, *given)
        selected = whole
        for name, selector in SELECTORS.items():  # always in this order, whichever came first
            for wanted in (wanted for named, wanted in conditions if named == name):
                selected = selected._kept(*selector(selected.ledger, whole.ledger, wanted))
        return replace(selected, whole=whole, conditions=conditions)

    def _kept(
        self, claims: Collection[str], studies: Collection[str], syntheses: Collection[str]
    ) -> "Evidence":
        """Return the evidence with only these records, and the problems that stand in them."""
        part = replace(
            self.ledger,
            claims=_only(self.ledger.claims, claims),
            studies=_only(self.ledger.studies, studies),
            syntheses=_only(self.ledger.syntheses, syntheses),
        )
        part = replace(part, references=_only(part.references, checks.cited_keys(part)))
        kept = {part.records[name].path for name in (*part.claims, *part.studies, *part.syntheses)}
        problems = tuple(item for item in self.checked.problems if item.path in kept)
        acknowledged = tuple(item for item in self.checked.acknowledged if item.path in kept)
        checked = replace(self.checked, problems=problems, acknowledged=acknowledged, records=len(kept))
        return replace(self, ledger=part, checked=checked)

    def table(self, name: str) -> pd.DataFrame:
        """Return one table as a DataFrame whose columns and dtypes never change.

        Parameters
        ----------
        name : str
            claims, appearances, citations, studies, arms, results, risk_of_bias, missing_results (the
            matrix of ROB-ME), syntheses, references, outcomes or problems.

        Raises
        ------
        EvidenceError
            When there is no such table.

        Examples
        --------
        >>> import mesoevidence as me
        >>> list(me.load().table("arms").columns)
        ['study', 'arm', 'intervention', 'n', 'detail']
        """
        if name not in tables.TABLES:
            raise EvidenceError(f"there is no table {name!r}; there are {', '.join(tables.TABLES)}")
        frame = tables.table(name, self.ledger, self.checked)
        if self.shipped:
            frame.attrs["ledger"] = files.SHIPPED
            frame.columns.name = "the shipped ledger"  # stands first where the table is shown
        return frame

    def to_csv(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write every table as CSV, text quoted and cells safe to open in a spreadsheet; return the paths.

        Raises
        ------
        EvidenceError
            When the folder cannot be written.
        """
        target = Path(folder)
        files.make_folder(target)
        written = []
        for name in tables.TABLES:
            frame, path = self.table(name), target / f"{name}.csv"
            for column in frame.columns[frame.dtypes == tables.TEXT]:
                frame[column] = frame[column].map(escape.cell, na_action="ignore")
            text = frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
            files.write(path, str(text))
            written.append(path)
        return written

    def card(self, identifier: str) -> str:
        """Return one record or reference as readable text.

        Raises
        ------
        EvidenceError
            When nothing bears that id.
        """
        for shelf in (self.claims, self.studies, self.syntheses, self.topics):
            if identifier in shelf:
                entry: AnyEntry = shelf[identifier]
                cited = sorted(checks.keys_of(entry) & self.ledger.references.keys())
                sources = {"references": [self.references[key].vancouver() for key in cited]} if cited else {}
                return cards.text(entry.title_line(), {**entry.shown(), **sources})
        if identifier in self.references:
            return self.references[identifier].vancouver()
        for problem in self.problems:
            if problem.severity == "error" and Path(problem.path).stem == identifier:
                raise NoSuchRecord(f"{problem.path} cannot be read as it stands: run `mesoevidence check`")
        known = (*self.ledger.records, *self.ledger.references)
        raise NoSuchRecord(f"nothing bears the id {identifier!r}{guess(identifier, known)}")

    def digest(self, *more: str) -> str:
        """Return 12 hex digits that change when any file of the ledger does, or one of `more` beside it."""
        paths, _ = files.find(self.ledger.root)
        return files.digest(self.ledger.root, [*paths, files.BIBLIOGRAPHY, files.COVERAGE, *more])

    def verdicts(self) -> dict[str, int]:
        """Return how many claims have each verdict, in the order of the vocabulary."""
        given = (claim.verdict for claim in self.claims.values())
        found = Counter(verdict.judgement if verdict else "no verdict yet" for verdict in given)
        return {word: found[word] for word in (*words(VerdictWord), "no verdict yet") if found[word]}

    def __repr__(self) -> str:
        sizes = {"claim": len(self.claims), "study": len(self.studies), "synthesis": len(self.syntheses)}
        counts = [console.plural(size, name) for name, size in sizes.items()]
        found = [item for item in self.problems if item.severity != "note"]
        first = f"{files.SHIPPED}: " if self.shipped else ""
        return f"<Evidence: {first}{', '.join(counts)}, {console.plural(len(found), 'problem')}>"

    def _repr_html_(self) -> str:
        shown = self.verdicts()
        listed = ", ".join(f"{n} {word}" for word, n in shown.items()) or "none"
        content: dict[str, object] = {
            "claims": f"{len(self.claims)} ({listed})",
            "studies": len(self.studies),
            "syntheses": len(self.syntheses),
            "references": len(self.references),
            "checks": console.summary(self.checked),
        }
        title = repr(self)[1:-1]
        return cards.html(title, content) + _bar(shown)


def load(path: str | os.PathLike[str] | None = None) -> Evidence:
    """Read and check a ledger.

    Parameters
    ----------
    path : path, optional
        The folder that holds `evidence/` and `references.bib`. Without it the nearest one at or above the
        current folder is read; where there is none, the ledger that ships with the library, and every view
        says so first.

    Returns
    -------
    Evidence
        The good records, the references, and the problems of all that is not good.

    Raises
    ------
    EvidenceError
        When `path` is given and holds no ledger.

    Examples
    --------
    >>> import mesoevidence as me
    >>> evidence = me.load()
    >>> "hair-loss" in evidence.topics
    True
    """
    root, shipped = files.locate(path)
    read, found = ledger.read(root)
    return Evidence(read, checks.check(read, found), shipped)


def _only(records: Mapping[str, Value], wanted: Collection[str]) -> Mapping[str, Value]:
    return MappingProxyType({name: value for name, value in records.items() if name in wanted})


def _bar(verdicts: Mapping[str, int]) -> str:
    """Return a bar of the verdicts as an HTML figure; its parts carry words where there is room for them."""
    total = sum(verdicts.values())
    if not total:
        return ""
    style = (
        "box-sizing:border-box;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;"
        "border:1px solid;padding:0 2px;font-size:80%"
    )
    parts = "".join(
        f'<span style="{style};width:{100 * n / total:.2f}%" title="{escape.html(word)}: {n}">'
        f"{f'{escape.html(word)} ' if 100 * n >= total * len(word) else ''}{n}</span>"
        for word, n in verdicts.items()
    )
    listed = escape.html(", ".join(f"{n} {word}" for word, n in verdicts.items()))
    name = f"verdicts of {total} claims: {listed}"
    return f'<div role="img" aria-label="{name}" style="display:flex">{parts}</div>'
