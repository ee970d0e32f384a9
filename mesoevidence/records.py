"""The text of one evidence file read into a `Record`: plain values, with the place of every key and value."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from unicodedata import normalize

import yaml

from mesoevidence.files import unshowable
from mesoevidence.problems import Problem, short

MAX_DEPTH = 12

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
        Line and column of each key and value in reading order, packed as ``line << 32 | column``.
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
        packed = self.places[found]
        return packed >> 32, packed & 0xFFFFFFFF

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
        return _build(iter(yaml.CLoader(text).get_event, None), lines, path)
    except _Refused as refused:
        return refused.problem(path)
    except yaml.YAMLError as error:
        return _syntax(error, path, len(lines))


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    """Carries the first thing a file may not hold out of the reading loop."""

    def __init__(self, mark: _Mark, code: str, message: str, hint: str) -> None:
        self.mark, self.code, self.message, self.hint = mark, code, message, hint

    def problem(self, path: str) -> Problem:
        return Problem(path, self.mark.line + 1, self.mark.column + 1, self.code, self.message, self.hint)


def _build(events: Iterator[Any], lines: list[str], path: str) -> Record | Problem:
    """Turn events into nested values; the places are kept in the order of reading."""
    places = array("Q")
    remarks = frozenset(at for at, line in enumerate(lines) if " #" in line)
    top: list[Node] = []
    stack: list[list[Node] | dict[str, Node]] = [top]
    keys: list[str | None] = [None]
    for event in events:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            mark = event.start_mark
            places.append(mark.line + 1 << 32 | mark.column + 1)
            text = _scalar(event, lines, remarks)
            into = stack[-1]
            if isinstance(into, list):
                into.append(text)
            elif keys[-1] is None:
                keys[-1] = _key(text, into, event)
            else:
                into[keys[-1]] = text
                keys[-1] = None
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            mark = event.start_mark
            places.append(mark.line + 1 << 32 | mark.column + 1)
            node: list[Node] | dict[str, Node] = {} if kind is yaml.MappingStartEvent else []
            _check_collection(event, len(stack))
            _place_in(stack[-1], keys, node, event)
            stack.append(node)
            keys.append(None)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            stack.pop()
            keys.pop()
        else:
            _check_document(event, bool(top))
    if not top or not isinstance(top[0], dict):
        line, column = (places[0] >> 32, places[0] & 0xFFFFFFFF) if places else (1, 1)
        return Problem(
            path, line, column, "E011", "a record is a list of `field: value` lines", "begin with `id: ...`"
        )
    return Record(path, top[0], places, len(lines))


def _place_in(into: list[Node] | dict[str, Node], keys: list[str | None], node: Node, event: _Event) -> None:
    """Put a collection where it belongs: at the end of a list, or under the key just read."""
    key = keys[-1]
    if isinstance(into, list):
        into.append(node)
    elif key is None:
        raise _Refused(event.start_mark, "E007", "a key must be plain text", "write a word before the colon")
    else:
        into[key] = node
        keys[-1] = None


def _scalar(event: _Event, lines: list[str], remarks: frozenset[int]) -> str:
    """Return the text of a scalar: plain, or `Quoted`; only on some lines may a remark cut it short."""
    if event.anchor is not None or event.tag is not None:
        raise _Refused(
            event.start_mark,
            "E007",
            "anchors and tags have no place in a record",
            "delete it, or quote the text",
        )
    text: str = event.value
    if event.implicit[0]:
        end = event.end_mark if remarks else None
        if end and end.line in remarks and lines[end.line].startswith(" #", end.column):
            raise _Refused(
                _After(end),
                "E010",
                "text after ` #` would be lost",
                "quote the value, or use two spaces for a comment",
            )
        return text
    if event.style == '"' or not text.isascii():
        text = normalize("NFC", text)
        if found := unshowable(text):
            raise _Refused(
                event.start_mark, "E004", f"the character U+{ord(found[0]):04X} cannot be shown", "delete it"
            )
    return Quoted(text)


@dataclass(frozen=True, slots=True)
class _After:
    """The place one past a mark, where the stray comment sign stands."""

    mark: _Mark

    @property
    def line(self) -> int:
        return int(self.mark.line)

    @property
    def column(self) -> int:
        return int(self.mark.column) + 1


def _key(text: str, into: dict[str, Node], event: _Event) -> str:
    """Return a key, refusing the second of two and the merge key."""
    if text in into:
        raise _Refused(
            event.start_mark, "E008", f"`{short(text)}` stands twice in this block", "keep one of them"
        )
    if text == "<<":
        raise _Refused(
            event.start_mark, "E007", "merge keys have no place in a record", "write the fields out"
        )
    return str(text)


def _check_collection(event: _Event, depth: int) -> None:
    if event.anchor is not None or event.tag is not None:
        raise _Refused(event.start_mark, "E007", "anchors and tags have no place in a record", "delete it")
    if depth > MAX_DEPTH:
        raise _Refused(
            event.start_mark, "E009", f"more than {MAX_DEPTH} levels", "a record is never this deep"
        )


def _check_document(event: _Event, begun: bool) -> None:
    """Refuse aliases, directives and a second document; streams and one document are as they should be."""
    if isinstance(event, yaml.AliasEvent):
        raise _Refused(
            event.start_mark, "E007", "aliases have no place in a record", "write the value out, or quote it"
        )
    if isinstance(event, yaml.DocumentStartEvent):
        if event.version is not None or event.tags:
            raise _Refused(
                event.start_mark, "E007", "directives have no place in a record", "delete the % line"
            )
        if begun:
            raise _Refused(
                event.start_mark, "E007", "a second document", "one record a file: delete the `---`"
            )


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
