"""How certain a body of evidence is: the level its domains give, and what the data suggest for each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import mesoevidence as me
from mesoevidence import cards, suggestions
from mesoevidence.bodies import Question, question_of, synthesis_of
from mesoevidence.ledger import Ledger, of
from mesoevidence.model import CertaintyRecord, Down, Range, Synthesis, Up
from mesoevidence.problems import EvidenceError, Found
from mesoevidence.statements import statements
from mesoevidence.suggestions import DOWN, LEVELS, UP
from mesoevidence.targets import Case, Seen, case, limits_said
from mesoevidence.vocabulary import CertaintyLevel, EvidenceStrength, Status

if TYPE_CHECKING:
    import pandas as pd

SYMBOLS: Mapping[str, str] = MappingProxyType(
    {"high": "⊕⊕⊕⊕", "moderate": "⊕⊕⊕◯", "low": "⊕⊕◯◯", "very-low": "⊕◯◯◯"}
)
LABELS: Mapping[str, str] = MappingProxyType(
    {name: name.replace("_", " ").capitalize() for name in (*DOWN, *UP)}
)


@dataclass(frozen=True, slots=True)
class Domain:
    """One reason to lower or to raise certainty.

    Attributes
    ----------
    name, label : str
        Its field in the record, and in words.
    kind : {"down", "up"}
        Whether it lowers or raises.
    steps : int or None
        How many levels, as recorded; None where the record does not say.
    why : str or None
        As recorded.
    suggested : int or None
        How many the data suggest; None where they tell nothing.
    because : tuple of str
        The numbers the suggestion rests on.
    """

    name: str
    label: str
    kind: Literal["down", "up"]
    steps: int | None
    why: str | None
    suggested: int | None
    because: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the data suggest another number of steps than was recorded."""
        return self.suggested is not None and self.steps is not None and self.suggested != self.steps


@dataclass(frozen=True, slots=True, repr=False)
class Certainty:
    """The certainty of one synthesis by its parts.

    Attributes
    ----------
    synthesis, label : str
        The id, and the question in words.
    question : Question
        Outcome, intervention and comparator in words, unit, which way is better, MID.
    level : {"high", "moderate", "low", "very-low", "not-graded"} or None
        As recorded; "not-graded" where the record says so, None before it is judged.
    computed : str or None
        The level that start and domains give; None where a part is missing.
    why, by, status : str or None
        Of the recorded judgement; a draft is unreviewed.
    start, start_why : str or None
        Where it starts, as recorded.
    start_suggested : str or None
        Where the lowest design of the body starts, and `start_because` its designs.
    domains : tuple of Domain
        The five that lower, then the three that raise.
    seen : Seen
        Effect, interval, absolute effect, persons and threshold, from the data.
    statement, plain : str
        What may be said, in the words of GRADE guidelines 26 and in plain language.
    """

    synthesis: str
    label: str
    question: Question
    level: EvidenceStrength | None
    computed: CertaintyLevel | None
    why: str | None
    by: str | None
    status: Status
    start: CertaintyLevel | None
    start_why: str | None
    start_suggested: CertaintyLevel | None
    start_because: tuple[str, ...]
    domains: tuple[Domain, ...]
    seen: Seen
    statement: str
    plain: str

    @property
    def symbol(self) -> str:
        """The level as circles; empty where there is none."""
        return SYMBOLS.get(self.level or "", "")

    @property
    def standing(self) -> str:
        """Whether somebody reviewed the judgement."""
        return "draft, unreviewed" if self.status == "draft" else self.status

    def domain(self, name: str) -> Domain:
        """Return one domain by its field."""
        for domain in self.domains:
            if domain.name == name:
                return domain
        raise EvidenceError(f"there is no domain {name!r}; there are {', '.join(LABELS)}")

    def rows(self) -> list[dict[str, object]]:
        """Return the start and the domains, one row each."""
        rows: list[dict[str, object]] = [{
            "domain": "start", "kind": "start", "recorded": self.start, "why": self.start_why,
            "suggested": self.start_suggested, "because": "; ".join(self.start_because),
        }]  # fmt: skip
        for domain in self.domains:
            recorded, suggested = _steps(domain, domain.steps), _steps(domain, domain.suggested)
            row = {"domain": domain.name, "kind": domain.kind, "recorded": recorded, "why": domain.why}
            rows.append({**row, "suggested": suggested, "because": "; ".join(domain.because)})
        return rows

    def to_frame(self) -> "pd.DataFrame":
        """Return the start and the domains as a DataFrame: recorded, why, suggested, because."""
        return me.certainty_frame(self)

    def lines(self) -> dict[str, object]:
        """Return the certainty as a card shows it."""
        level = "not judged yet" if self.level is None else self.level.replace("-", " ")
        standing = "" if self.status == "reviewed" else f" ({self.standing})"
        said: dict[str, object] = {"certainty": f"{self.symbol} {level}{standing}".lstrip()}
        if self.computed and self.computed != self.level:
            said["its parts give"] = self.computed
        if self.seen.shown and self.seen.measure:
            said["effect"] = limits_said(self.seen.shown, self.seen.measure)
        people = "" if self.seen.persons is None else f" with {self.seen.persons} persons"
        said["studies"] = f"{self.seen.k}{people}"
        if self.level != "not-graded":
            start = f"{self.start or 'not recorded'}: {self.start_why or ''}".rstrip(": ")
            said["start"] = [start, *self.start_because]
            counted = (domain for domain in self.domains if domain.kind == "down" or domain.steps)
            said |= {domain.label: _said(domain) for domain in counted}
        spoken = {"statement": self.statement}
        if self.plain != self.statement:
            spoken["in plain words"] = self.plain
        return {**said, "why": self.why or "not recorded", **spoken}

    def __repr__(self) -> str:
        shown = self.level or "not judged yet"
        return f"<Certainty {self.synthesis}: {shown}>"

    def __str__(self) -> str:
        return cards.text(self.label, self.lines())

    def _repr_html_(self) -> str:
        return cards.html(self.label, self.lines())


def rate(data: object, synthesis: str) -> Certainty:
    """Return the certainty of one synthesis: as recorded, as its parts give it, and what the data suggest.

    Parameters
    ----------
    data : Evidence or Ledger
        Where the synthesis and its studies stand.
    synthesis : str
        Its id.

    Returns
    -------
    Certainty
        By the rules of Core GRADE (BMJ 2025;389:e081904, e083864): the start by design, less five domains,
        plus three, never beyond high or very low. A suggestion never replaces what was recorded.

    Raises
    ------
    EvidenceError
        When there is no such synthesis.

    Examples
    --------
    >>> import mesoevidence as me
    >>> certainty = me.rate(me.load(), "meso-v-saline-response")
    >>> certainty.level, certainty.computed
    ('very-low', 'very-low')
    """
    ledger = of(data)
    entry = synthesis_of(ledger, synthesis)
    found, record, question = case(ledger, entry), entry.certainty, question_of(ledger, entry)
    begin, designs = suggestions.start(ledger, entry)
    domains = tuple(_domain(name, record, found) for name in LABELS)
    level = strength_of(entry)
    start, overall = (record.start, record.overall) if record else (None, None)
    judged = overall or record
    return Certainty(
        entry.id, entry.label or entry.id, question, level, computed(record) if record else None,
        judged.why if judged else None, overall.by if overall else entry.by, entry.status,
        start.level if start else None, start.why if start else None, begin, designs, domains, found.seen,
        *statements(level, question, found.seen),
    )  # fmt: skip


def strength_of(synthesis: Synthesis) -> EvidenceStrength | None:
    """Return the recorded certainty, "not-graded" where the record says so, None before it is judged."""
    record = synthesis.certainty
    if record is None:
        return None
    return "not-graded" if record.system == "none" else record.overall.judgement if record.overall else None


def _domain(name: str, record: CertaintyRecord | None, case: Case) -> Domain:
    part: Down | Up | None = getattr(record, name, None)
    steps = part.down if isinstance(part, Down) else part.up if part else 0 if name in UP and record else None
    suggestion = (DOWN[name] if name in DOWN else UP[name])(case)
    kind: Literal["down", "up"] = "down" if name in DOWN else "up"
    return Domain(name, LABELS[name], kind, steps, part.why if part else None, *suggestion)


def computed(record: CertaintyRecord) -> CertaintyLevel | None:
    """Return the level that the parts of a record give; None where one of them is missing.

    >>> from mesoevidence.model import CertaintyRecord
    >>> down = {name: {"down": "0"} for name in DOWN}
    >>> record = {"system": "grade", "start": {"level": "high", "why": "trials"}, **down}
    >>> computed(CertaintyRecord.model_validate({**record, "imprecision": {"down": "1", "why": "few"}}))
    'moderate'
    """
    downs: list[Down | None] = [getattr(record, name) for name in DOWN]
    ups: list[Up | None] = [getattr(record, name) for name in UP]
    if record.start is None or None in downs:
        return None
    steps = sum(part.down for part in downs if part) - sum(part.up for part in ups if part)
    return LEVELS[min(max(LEVELS.index(record.start.level) + steps, 0), len(LEVELS) - 1)]


def _steps(domain: Domain, steps: int | None) -> str | None:
    """Return steps as they are printed: 0, -1, +1."""
    sign = "" if not steps else "-" if domain.kind == "down" else "+"
    return None if steps is None else f"{sign}{steps}"


def _said(domain: Domain) -> list[str]:
    steps = _steps(domain, domain.steps)
    recorded = f"{steps}: {domain.why or 'no why'}" if steps else "not recorded"
    suggested = "nothing" if domain.suggested is None else _steps(domain, domain.suggested)
    return [recorded, f"the data suggest {suggested}: {'; '.join(domain.because)}"]


# The checks -------------------------------------------------------------------------------------


def certainty_follows_its_parts(synthesis: Synthesis, ledger: Ledger) -> Iterator[Found]:
    """The recorded level is what start and domains give; each step down says why."""
    record = synthesis.certainty
    if record is None:
        return
    if record.system == "none":
        if not record.why or record.overall:
            hint = "say why under `certainty: {system: none, why: ...}`, and leave `overall` out"
            yield Found("E413", ("certainty", "system"), "not graded, and not why", hint)
        return
    missing = [name for name in ("start", *DOWN, "overall") if getattr(record, name) is None]
    if missing:
        hint = "GRADE needs start, five domains and overall; or write `system: none` with why"
        yield Found("E413", ("certainty",), f"no {', '.join(missing)}", hint, key=True)
    if isinstance(record.threshold, Range) and record.threshold.range[0] >= record.threshold.range[1]:
        hint = "lower bound first; for no effect itself write `threshold: no-effect`"
        yield Found("E222", ("certainty", "threshold", "range"), "no effect lies inside this range", hint)
    for name in DOWN:
        part = getattr(record, name)
        if part and part.down and not part.why:
            message = f"{part.down} down for {LABELS[name].lower()}, and not why"
            yield Found("E412", ("certainty", name, "down"), message, "add `why`")
    given, recorded = computed(record), record.overall.judgement if record.overall else None
    if given and recorded and recorded != given:
        message = f"`{recorded}`, where its parts give `{given}`: {_sum(record)}"
        yield Found("E411", ("certainty", "overall", "judgement"), message, "change the level, or a part")


def _sum(record: CertaintyRecord) -> str:
    said: str = record.start.level if record.start else ""
    for table, step, word in ((DOWN, "down", "less"), (UP, "up", "plus")):
        steps = {name: getattr(getattr(record, name), step, 0) for name in table}
        parts = [f"{count} for {LABELS[name].lower()}" for name, count in steps.items() if count]
        said += f", {word} {', '.join(parts)}" if parts else ""
    return said


def data_suggest_the_same(synthesis: Synthesis, ledger: Ledger) -> Iterator[Found]:
    """Where the data suggest another step than recorded, the record says why; nothing rises beside a fall."""
    record = synthesis.certainty
    if record is None or record.system == "none":
        return
    silent = [name for name in LABELS if (part := getattr(record, name)) and not part.why]
    if silent:  # pooling only where a why is missing
        found = case(ledger, synthesis)
        for name in silent:
            yield from _unexplained(_domain(name, record, found), record)
    lowest, designs = suggestions.start(ledger, synthesis)
    begin = record.start.level if record.start else None
    if begin and lowest and LEVELS.index(begin) < LEVELS.index(lowest):
        message = f"starts {begin}, where its lowest design starts {lowest} ({'; '.join(designs)})"
        hint = "start there, or rate the designs apart"
        yield Found("W603", ("certainty", "start", "level"), message, hint)


def _unexplained(domain: Domain, record: CertaintyRecord) -> Iterator[Found]:
    """Yield what a step without why should explain; a step down without why is an error of its own."""
    path, title = ("certainty", domain.name, domain.kind), domain.label.lower()
    lowered = [LABELS[name].lower() for name in DOWN if (part := getattr(record, name)) and part.down]
    if domain.kind == "up" and domain.steps and lowered:
        message = f"up for {title} beside a step down for {', '.join(lowered)}"
        hint = "evidence that has a flaw is usually not rated up; say why it is here"
        yield Found("W602", path, message, hint)
    elif (domain.kind == "up" or not domain.steps) and domain.steps != (domain.suggested or 0):
        suggested = "nothing" if domain.suggested is None else domain.suggested
        message = f"{title} {domain.kind} {domain.steps}, where the data suggest {suggested}"
        because = "; ".join(domain.because)
        yield Found("W601", path, f"{message}: {because}", "say why, or take the suggestion")
