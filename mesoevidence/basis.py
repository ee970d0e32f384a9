"""What a judgement rests on, as a digest: which are stale and by what change, and signing one anew."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from mesoevidence import appraisal, files, history, records
from mesoevidence.bodies import result_of, synthesis_of
from mesoevidence.ledger import Ledger, read, typed
from mesoevidence.model import Study, Synthesis, Topic
from mesoevidence.problems import EvidenceError, Found, Problem

Entered = TypeVar("Entered", Synthesis, Study, Topic)
_PLACE = ("certainty", "basis")
_SIGNED = re.compile(r"[0-9a-f]{12}")
_SHOWN = 3
_RESULT = {"values", "effect", "paired", "direction", "p", "outcome"}


def inputs(synthesis: Synthesis, ledger: Ledger) -> dict[str, str]:
    """Return what the judgement on a synthesis rests on: each input by name, as text; no prose.

    The included results with their arms and their risk of bias, the outcome with its MID, and the analysis.
    """
    found: dict[str, str] = {}
    for line in synthesis.include:
        study, result = ledger.studies.get(line.study), result_of(line, ledger)
        name = f"{line.study} {line.result}:"
        sides = {side: " + ".join(getattr(line, side)) or "none" for side in ("intervention", "comparator")}
        _flatten(name, sides, found)
        if study is None or result is None:
            continue
        seen = result.model_dump(mode="json", include=_RESULT)
        _flatten(name, seen | seen.pop("values"), found)
        if rob := appraisal.appraised(study, line.result):
            judged = {domain: part.judgement for domain, part in rob.domains.items()}
            _flatten(f"{name} risk of bias", judged | {rob.tool: rob.overall.judgement}, found)
    outcome = ledger.outcomes.get(synthesis.pico.outcome or "")
    if outcome:
        mid = str(outcome.mid.value) if outcome.mid else None
        facts = {"type": outcome.type, "better": outcome.better, "MID": mid}
        _flatten(str(synthesis.pico.outcome), facts, found)
    if synthesis.analysis:
        _flatten("analysis", synthesis.analysis.model_dump(mode="json", exclude={"fixed_on"}), found)
    return found


def _flatten(name: str, node: object, into: dict[str, str]) -> None:
    """Put every number and word below a node into one table, each under its full name."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            _flatten(f"{name} {key}", value, into)
    elif node is not None:
        into[name] = " to ".join(map(str, node)) if isinstance(node, list) else str(node)


def digest(found: Mapping[str, str]) -> str:
    """Return the first 12 hex digits of the SHA-256 over inputs as canonical JSON.

    >>> digest({"analysis measure": "RR"})
    '6806bf239e81'
    """
    text = json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what differs between two tables of inputs, in words.

    >>> changed({"moftah-2013 photographs: events": "54"}, {"moftah-2013 photographs: events": "53"})
    ['moftah-2013 photographs: events 54 -> 53']
    """
    return [
        f"{name} {before.get(name, 'absent')} -> {after.get(name, 'absent')}"
        for name in dict.fromkeys([*after, *before])
        if before.get(name) != after.get(name)
    ]


def basis_is_current(synthesis: Synthesis, ledger: Ledger) -> Iterator[Found]:
    """A judgement that was signed still rests on the same inputs."""
    basis = synthesis.certainty.basis if synthesis.certainty else None
    lost = "evidence/topics/" in ledger.broken and synthesis.pico.outcome not in ledger.outcomes
    if basis is None or lost or any(line.study in ledger.broken for line in synthesis.include):
        return  # what could not be read is named by another check
    now = inputs(synthesis, ledger)
    hint = f"judge it again, then `mesoevidence sign {synthesis.id} --by NAME`"
    if not _SIGNED.fullmatch(basis):
        yield Found("W501", _PLACE, "not signed yet", hint)
    elif basis != digest(now):
        before = signed_inputs(synthesis, ledger)
        said = changed(before, now) if before is not None else ["what it was before is in no revision"]
        more = f"; and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
        message = f"its inputs changed: {'; '.join(said[:_SHOWN])}{more}"
        yield Found("W501", _PLACE, message, hint)


def signed_inputs(synthesis: Synthesis, ledger: Ledger) -> dict[str, str] | None:
    """Return the inputs that give the recorded basis, from the last revision or the one that wrote it."""
    basis, path = synthesis.certainty and synthesis.certainty.basis, ledger.records[synthesis.id].path
    if not basis:
        return None
    wrote = history.revision_that_wrote(ledger.root, path, basis)
    for revision in ("HEAD", *((wrote, f"{wrote}^") if wrote else ())):
        then = _then(path, ledger, revision)
        if then is not None and digest(found := inputs(*then)) == basis:
            return found
    return None


def _then(path: str, ledger: Ledger, revision: str) -> tuple[Synthesis, Ledger] | None:
    """Return a synthesis as it was in a revision, with the studies it included and the topics of then."""
    synthesis = _entry(path, ledger, revision, Synthesis)
    if synthesis is None:
        return None
    wanted = sorted({line.study for line in synthesis.include})
    studies = {name: _entry(f"evidence/studies/{name}.yaml", ledger, revision, Study) for name in wanted}
    topics = {name: _entry(f"evidence/topics/{name}.yaml", ledger, revision, Topic) for name in ledger.topics}
    return synthesis, replace(ledger, studies=_known(studies), topics=_known(topics))


def _entry(path: str, ledger: Ledger, revision: str, kind: type[Entered]) -> Entered | None:
    """Return one record as it was; None where it was not there, or was not good."""
    data = history.text(ledger.root, revision, path)
    text = files.decode(data, path) if data is not None else None
    record = records.parse(text, path) if isinstance(text, str) else None
    entry = typed(record, kind) if isinstance(record, records.Record) else None
    return entry if isinstance(entry, kind) else None


def _known(entries: Mapping[str, Entered | None]) -> Mapping[str, Entered]:
    return MappingProxyType({name: entry for name, entry in entries.items() if entry is not None})


@dataclass(frozen=True, slots=True)
class Signing:
    """One judgement about to be signed: what it says, what changed, and the text that would be written.

    Attributes
    ----------
    path : Path
        The file.
    judgement : str
        What is signed, in words.
    changes : tuple of str
        The inputs that changed since it was signed; all of them when it never was, or no revision tells.
    before, after : str
        The text of the file as it is, and as it will be.
    """

    path: Path
    judgement: str
    changes: tuple[str, ...]
    before: str
    after: str


def signing(ledger: Ledger, identifier: str, by: str) -> Signing:
    """Return what signing one judgement would write.

    Raises
    ------
    EvidenceError
        When there is no such judgement, somebody else made it, or the file has no place for the basis.
    """
    synthesis = synthesis_of(ledger, identifier)
    record = synthesis.certainty
    if record is None or record.overall is None:
        raise EvidenceError(f"{identifier} has no judgement of certainty; only such a judgement is signed")
    if record.overall.by != by:
        raise EvidenceError(f"the judgement is by {record.overall.by}; who signs stands there under `by`")
    if record.basis is None:
        raise EvidenceError(f"write `basis: unsigned` into the certainty of {identifier}, to be replaced")
    now = inputs(synthesis, ledger)
    before = now if digest(now) == record.basis else signed_inputs(synthesis, ledger)
    every = ("what it was signed on is in no revision; it rests on", *(f"{name} {now[name]}" for name in now))
    place = ledger.records[identifier]
    text = _as_read(ledger, place.path)
    after = _spliced(text, place, record.basis, digest(now))
    said = f"{identifier}: {record.overall.judgement}, {record.overall.why}"
    changes = every if before is None else tuple(changed(before, now))
    return Signing(ledger.root / place.path, said, changes, text, after)


def _as_read(ledger: Ledger, path: str) -> str:
    """Return the text of a file whose bytes are exactly that text."""
    text = files.read(ledger.root, path)
    if isinstance(text, Problem) or (ledger.root / path).read_bytes() != text.encode():
        raise EvidenceError(f"save {path} as UTF-8 with bare newlines first; signing changes one value only")
    return text


def _spliced(text: str, record: records.Record, old: str, new: str) -> str:
    """Return the text with one scalar replaced, or refuse where that would change anything else."""
    line, column = record.place(_PLACE)
    start = sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + column - 1
    for written in (old, f'"{old}"', f"'{old}'"):
        after = text[:start] + new + text[start + len(written) :]
        if text.startswith(written, start):
            again = records.parse(after, record.path)
            values: Any = record.values
            wanted = {**values, "certainty": {**values["certainty"], "basis": new}}
            if isinstance(again, records.Record) and again.values == wanted:
                return after
    raise EvidenceError(f"{record.path} changed since it was read; run the command again")


def sign(root: Path, identifier: str, by: str, asked: Signing) -> None:
    """Write a signing, unless file or inputs are others than when it was asked.

    Raises
    ------
    EvidenceError
        When anything changed since, or the file cannot be written.
    """
    if signing(read(root)[0], identifier, by) != asked:
        raise EvidenceError(f"{identifier} or its inputs changed since they were read; run the command again")
    files.write(asked.path, asked.after)
