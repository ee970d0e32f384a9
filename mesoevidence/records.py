"""The text of one evidence file read into a `Record`: plain values, with the place of every key and value."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias
from unicodedata import normalize

import yaml

from mesoevidence.files import unshowable
from mesoevidence.problems import Problem, short

MAX_DEPTH = 12
_COLUMNS = 2**20  # more than a file has bytes

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
Path = Sequence[str | int]
_Event: TypeAlias = Any  # the C parser's events carry marks of a type of their own
_Mark: TypeAlias = Any

_REASONS = {
    "mapping values are not allowed in this context": "quote the text, since it holds a colon and a space",
    "did not find expected key": "check the indentation of this line and the quotes of the one before",
    "found character that cannot start any token": "indent with spaces; quote text that starts with a sign",
    "found unexpected end of stream": "close the quote or the bracket",
    "found unknown escape character": 'use single quotes, or write the backslash twice inside "..."',
}


class Quoted(str):
    """A scalar that was written in quotes or as a block, and so is text and no number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What one file says, before any field has a type.

    Attributes
    ----------
    path : str
        Where the file stands, from the ledger's root.
    values : dict
        Mappings, lists and text, as written; a quoted scalar is a `Quoted`.
    places : array of unsigned 64-bit integers
        Line and column of each key and value in reading order, packed as ``line * 2**20 + column``.
    lines : int
        How many lines the file has.
    """

    path: str
    values: dict[str, Node]
    places: "array[int]"
    lines: int

    def place(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Return line and column of the value (or its `key`) at `path`, or of the nearest thing above it."""
        index, node = 0, self.values
        found = 0
        current: Node = node
        for position, step in enumerate(path):
            below = _below(current, step, index)
            if below is None:
                break
            key_index, index, current = below
            found = key_index if key and position == len(path) - 1 else index
        return divmod(self.places[found], _COLUMNS)

    def problem(self, code: str, path: Path, message: str, hint: str = "", *, key: bool = False) -> Problem:
        """Return a problem at the place of `path`."""
        return Problem(self.path, *self.place(path, key=key), code, message, hint)


def parse(text: str, path: str) -> Record | Problem:
    r"""Read the text of one file; what the strict subset of YAML does not allow becomes a problem.

    >>> record = parse("id: moftah-2013\nreports: [moftah2013]\n", "evidence/studies/moftah-2013.yaml")
    >>> record.values
    {'id': 'moftah-2013', 'reports': ['moftah2013']}
    >>> record.place(["reports", 0])
    (2, 11)
    """
    lines = text.split("\n")
    try:
        return _build(text, lines, path)
    except _Refused as refused:
        return Problem(path, *refused.said)
    except yaml.YAMLError as error:
        return _syntax(error, path, len(lines))


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    """Carries the first thing a file may not hold out of the reading loop."""

    def __init__(self, mark: _Mark, code: str, message: str, hint: str, past: int = 1) -> None:
        self.said = (mark.line + 1, mark.column + past, code, message, hint)


def _build(text: str, lines: list[str], path: str) -> Record | Problem:
    """Turn events into nested values; the places are kept in the order of reading."""
    remarks = frozenset(at for at, line in enumerate(lines) if " #" in line)
    places = array("Q")
    reading = _Reading(yaml.CLoader(text).get_event, places.append, lines, remarks)
    top: list[Node] = []
    for event in iter(reading.following, None):
        if type(event) is yaml.DocumentStartEvent:
            _check_document(event, bool(top))
            top.append(reading.value(reading.following(), 1))
    if not top or not isinstance(top[0], dict):
        line, column = divmod(places[0], _COLUMNS) if places else (1, 1)
        return Problem(
            path, line, column, "E011", "a record is a list of `field: value` lines", "begin with `id: ...`"
        )
    return Record(path, top[0], places, len(lines))


class _Reading(NamedTuple):
    """A text being read: its next event, where places are noted, its lines, those that may hold a remark."""

    following: Callable[[], Any]
    note: Callable[[int], None]
    lines: list[str]
    remarks: frozenset[int]

    def value(self, event: _Event, depth: int, *, key: bool = False) -> Node:
        """Return what begins with an event, with all that is in it."""
        mark, kind, following = event.start_mark, type(event), self.following
        self.note((mark.line + 1) * _COLUMNS + mark.column + 1)
        if kind is yaml.ScalarEvent:
            return _scalar(event, self.lines, self.remarks)
        _check_collection(event, depth, key=key)
        if kind is yaml.SequenceStartEvent:
            items = []
            while type(event := following()) is not yaml.SequenceEndEvent:
                items.append(self.value(event, depth + 1))
            return items
        fields: dict[str, Node] = {}
        while type(event := following()) is not yaml.MappingEndEvent:
            name = str(self.value(event, depth + 1, key=True))
            if name in fields or name == "<<":
                _refuse_key(name, event)
            fields[name] = self.value(following(), depth + 1)
        return fields


def _scalar(event: _Event, lines: list[str], remarks: frozenset[int]) -> str:
    """Return the text of a scalar: plain, or `Quoted`; only on some lines may a remark cut it short."""
    if event.anchor is not None or event.tag is not None:
        hint = "delete it, or quote the text"
        raise _Refused(event.start_mark, "E007", "anchors and tags have no place in a record", hint)
    text: str = event.value
    if event.implicit[0]:
        end = event.end_mark if remarks else None
        if end and end.line in remarks and lines[end.line].startswith(" #", end.column):
            hint = "quote the value, or use two spaces for a comment"
            raise _Refused(end, "E010", "text after ` #` would be lost", hint, past=2)
        return text
    if event.style == '"' or not text.isascii():
        text = normalize("NFC", text)
        if found := unshowable(text):
            raise _Refused(
                event.start_mark, "E004", f"the character U+{ord(found[0]):04X} cannot be shown", "delete it"
            )
    return Quoted(text)


def _refuse_key(name: str, event: _Event) -> None:
    """Refuse the merge key, or the second of two keys."""
    if name == "<<":
        message, hint = "merge keys have no place in a record", "write the fields out"
        raise _Refused(event.start_mark, "E007", message, hint)
    message = f"`{short(name)}` stands twice in this block"
    raise _Refused(event.start_mark, "E008", message, "keep one of them")


def _check_collection(event: _Event, depth: int, *, key: bool) -> None:
    """Refuse an alias, an anchor or tag, what is too deep, and what would be a key."""
    mark = event.start_mark
    if type(event) is yaml.AliasEvent:
        hint = "write the value out, or quote it"
        raise _Refused(mark, "E007", "aliases have no place in a record", hint)
    if event.anchor is not None or event.tag is not None:
        raise _Refused(mark, "E007", "anchors and tags have no place in a record", "delete it")
    if depth > MAX_DEPTH:
        raise _Refused(mark, "E009", f"more than {MAX_DEPTH} levels", "a record is never this deep")
    if key:
        raise _Refused(mark, "E007", "a key must be plain text", "write a word before the colon")


def _check_document(event: _Event, begun: bool) -> None:
    """Refuse directives and a second document."""
    if event.version is not None or event.tags:
        raise _Refused(event.start_mark, "E007", "directives have no place in a record", "delete the % line")
    if begun:
        raise _Refused(event.start_mark, "E007", "a second document", "one record a file: delete the `---`")


def _syntax(error: yaml.YAMLError, path: str, lines: int) -> Problem:
    """Return a problem for text that is no YAML."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "this is not YAML")
    line = min(mark.line + 1, lines) if mark else 1
    column = mark.column + 1 if mark else 1
    hint = _REASONS.get(reason, "check indentation, quotes and brackets here and on the line before")
    return Problem(path, line, column, "E006", f"not YAML: {reason}", hint)


def _below(node: Node, step: str | int, index: int) -> tuple[int, int, Node] | None:
    """Return the slots of the key and value one step down from the node at slot `index`, and the value."""
    index += 1
    if isinstance(node, dict):
        for key, value in node.items():
            if key == step:
                return index, index + 1, value
            index += 1 + _slots(value)
    elif isinstance(node, list) and isinstance(step, int) and step < len(node):
        index += sum(_slots(value) for value in node[:step])
        return index, index, node[step]
    return None


def _slots(node: Node) -> int:
    """Return how many places a value and all below it take."""
    if isinstance(node, dict):
        return 1 + sum(1 + _slots(value) for value in node.values())
    if isinstance(node, list):
        return 1 + sum(_slots(value) for value in node)
    return 1
