"""The ledger of one folder: its good records typed and its references, each able to say where it stands."""

import gc
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mesoevidence import bibliography, files, records
from mesoevidence.bibliography import Reference
from mesoevidence.model import KINDS, AnyEntry, Claim, Kind, Labelled, Outcome, Study, Synthesis, Topic
from mesoevidence.problems import CODES, EvidenceError, Problem, one_of, short
from mesoevidence.records import Path as RecordPath, Record


@dataclass(frozen=True, slots=True)
class Ledger:
    """Records and references alone: what the checks and the judging functions take.

    Attributes
    ----------
    root : Path
        The folder that holds `evidence/` and `references.bib`.
    topics, claims, studies, syntheses : Mapping of id to model
        The good records, sorted by id.
    references : Mapping of key to Reference
        The good entries of the bibliography, sorted by key.
    records : Mapping of id to Record
        The same records as read, for their places.
    broken : frozenset of str
        Records and references that stand there but could not be read, and the folders of such records: what
        names them is not at fault.
    """

    root: Path
    topics: Mapping[str, Topic]
    claims: Mapping[str, Claim]
    studies: Mapping[str, Study]
    syntheses: Mapping[str, Synthesis]
    references: Mapping[str, Reference]
    records: Mapping[str, Record]
    broken: frozenset[str] = frozenset()
    populations: Mapping[str, Labelled] = field(init=False)
    interventions: Mapping[str, Labelled] = field(init=False)
    outcomes: Mapping[str, Outcome] = field(init=False)
    topic_of: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Gather the slugs of all topics."""
        for name in ("populations", "interventions", "outcomes"):
            merged = {
                slug: entry for topic in self.topics.values() for slug, entry in getattr(topic, name).items()
            }
            object.__setattr__(self, name, MappingProxyType(merged))
        owners = {
            slug: topic.id
            for topic in self.topics.values()
            for slug in (*topic.populations, *topic.interventions, *topic.outcomes)
        }
        object.__setattr__(self, "topic_of", MappingProxyType(owners))

    def paths(self) -> list[str]:
        """Return the files the ledger was read from, good records only, sorted."""
        return sorted([files.BIBLIOGRAPHY, *(record.path for record in self.records.values())])


def of(data: object) -> Ledger:
    """Return the ledger of an `Evidence`, or a ledger as it is.

    Raises
    ------
    EvidenceError
        When `data` is neither.
    """
    ledger = getattr(data, "ledger", data)
    if not isinstance(ledger, Ledger):
        raise EvidenceError(f"evidence is expected, as `load` returns it, not {type(data).__name__}")
    return ledger


def read(root: Path) -> tuple[Ledger, list[Problem]]:
    """Read a folder: the ledger of its good records, and a problem for each thing that is not good."""
    with _uncollected():
        return _read(root)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the garbage collector: all that is made here stays, and searching it again and again costs."""
    held = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if held:
            gc.enable()


def _read(root: Path) -> tuple[Ledger, list[Problem]]:
    paths, problems = files.find(root)
    models: dict[str, dict[str, AnyEntry]] = {kind: {} for kind in KINDS}
    taken: dict[str, Record] = {}
    broken: set[str] = set()
    for path in paths:
        folder = path.split("/")[1]
        good, faults = read_record(root, path, KINDS[folder])
        problems += faults
        if good is None:
            broken.update((Path(path).stem, f"evidence/{folder}/"))
            continue
        entry, record = good
        if entry.id in taken:
            hint = f"it is also the id of {taken[entry.id].path}; ids are unique over the whole ledger"
            problems.append(record.problem("E103", ["id"], f"`{entry.id}` stands twice", hint))
            broken.add(entry.id)
            continue
        taken[entry.id] = record
        models[folder][entry.id] = entry
    references, faults, lost = _references(root)
    by_kind: Any = {kind: MappingProxyType(dict(sorted(entries.items()))) for kind, entries in models.items()}
    ledger = Ledger(
        root=root,
        references=MappingProxyType(references),
        records=MappingProxyType(taken),
        broken=frozenset(broken | lost),
        **by_kind,
    )
    return ledger, problems + faults


def read_record(root: Path, path: str, kind: Kind) -> tuple[tuple[AnyEntry, Record] | None, list[Problem]]:
    """Read one record's file: the typed record with its places, or None and every reason why not."""
    text = files.read(root, path)
    if isinstance(text, Problem):
        return None, [text]
    record = records.parse(text, files.shown(path))
    if isinstance(record, Problem):
        return None, [record]
    entry = typed(record, kind)
    if isinstance(entry, list):
        return None, entry
    stem = path.rpartition("/")[2].removesuffix(".yaml")
    if entry.id != stem:
        hint = f"write `id: {stem}`, or rename the file to {entry.id}.yaml"
        return None, [record.problem("E102", ["id"], f"the id `{entry.id}` is not the file's name", hint)]
    return (entry, record), []


def typed(record: Record, kind: Kind) -> AnyEntry | list[Problem]:
    """Return the typed record, or a problem for each field that fails."""
    try:
        return kind.model_validate(record.values)
    except ValidationError as error:
        seen: dict[tuple[int, int], Problem] = {}
        for details in error.errors(include_url=False):
            if details["type"] == "too_short" and details["input"]:
                continue  # it has items, and each that failed is named itself
            problem = _field_problem(details, record, kind)
            seen.setdefault(
                (problem.line, problem.column), problem
            ) if problem.code != "E201" else seen.setdefault((len(seen), -1), problem)
        return sorted(seen.values())


def _references(root: Path) -> tuple[dict[str, Reference], list[Problem], set[str]]:
    """Read the bibliography of a folder: its references, problems, and the keys of what was left out."""
    data = files.read_bytes(root, files.BIBLIOGRAPHY, files.MAX_BIBLIOGRAPHY_BYTES)
    if isinstance(data, Problem):
        return {}, [data], {files.BIBLIOGRAPHY}
    text = files.plain(data)
    found, problems = bibliography.parse(text, files.BIBLIOGRAPHY)
    return dict(sorted(found.items())), problems, bibliography.keys_in(text) - found.keys()


_SHAPES = {
    "model_type": "a block of `field: value` lines is expected",
    "mapping_type": "a block of `name: ...` lines is expected",
    "dict_type": "a block of `name: ...` lines is expected",
    "tuple_type": "a list is expected",
    "too_short": "an empty list",
    "too_long": "two numbers are expected: [lower, upper]",
}


def _field_problem(details: ErrorDetails, record: Record, kind: Kind) -> Problem:
    """Return what is wrong with one field, in the words of the table of codes."""
    path = [step for step in details["loc"] if step != "[key]"]
    name = short(str(path[-1])) if path else "record"
    what, given, context = details["type"], details["input"], details.get("ctx", {})
    if what == "missing":
        if isinstance(path[-1], int):
            return record.problem(
                "E203", path[:-1], f"`{path[-2]}`: two numbers are expected", "[lower, upper]"
            )
        code = "E301" if name == "from" else "E201"
        return record.problem(
            code, path[:-1], f"`{name}` is missing", f"add `{name}: ...` to this block", key=True
        )
    if what == "extra_forbidden":
        return record.problem(
            "E202", path, f"there is no field `{name}` here", _fields_hint(kind, path), key=True
        )
    if what == "literal_error" and isinstance(given, str):
        options = re.findall(r"'([^']+)'", str(context.get("expected", "")))
        return record.problem(
            "E205", path, f"`{name}` is not in the vocabulary: {short(given)}", one_of(given, options)
        )
    if what in ("too_short",) or given == "":
        return record.problem("E207", path, f"`{name}` is empty", "leave the field out when it is not known")
    if re.fullmatch(r"E\d{3}", what):
        hint = str(context.get("hint", "")) or CODES[what].why.rstrip(".")
        return record.problem(what, path, f"`{name}`: {details['msg']}", hint)
    shape = _SHAPES.get(what, "another shape is expected")
    return record.problem(
        "E203", path, f"`{name}`: {shape}", "`mesoevidence new` shows every field in its shape"
    )


def _fields_hint(kind: Kind, path: RecordPath) -> str:
    """Return the fields of the block that `path` ends in, the nearest to its last step first."""
    model: type[BaseModel] = kind
    for step in path[:-1]:
        for name, info in model.model_fields.items():
            if step == (info.alias or name):
                model = next(_models_in(info.annotation), model)
                break
    return one_of(str(path[-1]), [info.alias or name for name, info in model.model_fields.items()])


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
