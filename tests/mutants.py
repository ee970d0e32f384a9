"""Makes bad files out of good ones, and says by another YAML reader what a file holds."""

import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from unicodedata import normalize

import yaml

TOKENS = [
    *(
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ": ",
        ":",
        ", ",
        "- ",
        "? ",
        "#",
        " #",
        "  # ",
        "'",
        '"',
        "|",
        ">",
        "|-\n",
    ),
    *(
        "&a ",
        "*a",
        "!",
        "!!str ",
        "%",
        "%YAML 1.1\n",
        "@",
        "@article{x,",
        "`",
        "\t",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
    ),
    *(
        "\x00",
        "\x07",
        "\x1b",
        "\x7f",
        "\u202e",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "\u200b",
        "\\",
        "\\u0007",
        "\\x",
    ),
    *(
        "NaN",
        ".inf",
        "1e999",
        "-0.0",
        "-",
        "0",
        "9" * 40,
        "1_0",
        "٣",
        "null",
        "~",
        "true",
        "no",
        "2026-13-45",
    ),
    *("<<: ", "---\n", "...\n", "<<<<<<< HEAD\n", "=======\n", "é", "e\u0301", "漢", "=1+1", "$", "{{7*7}}"),
    *("<script>", "]]>", "\\input{x}", "\\'", "~", "--", "and", "@string{a = a}", "  ", "    ", " "),
]


def mutated(text: str, others: list[str], chance: random.Random) -> str:
    """Return a text with one to three things done to it: inserted, cut, doubled, moved, spliced, retyped."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.choice((1, 1, 2, 5, 20, 100)))
        how = chance.randrange(7)
        if how <= 1:
            text = text[:at] + chance.choice(TOKENS) + text[at:]
        elif how == 2:
            text = text[:at] + text[end:]
        elif how == 3:
            text = text[:at] + text[at:end] * 2 + text[end:]
        elif how == 4:
            text = text[:at] + chance.choice(TOKENS) + text[end:]
        elif how == 5:
            lines = text.split("\n")
            one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[two] = lines[two], lines[one]
            text = "\n".join(lines)
        else:
            other = chance.choice(others)
            begin = chance.randrange(len(other))
            text = text[:at] + other[begin : begin + 60] + text[at:]
    return text


def stated(text: str) -> object:
    """Return what a file says as nested text: the witness is PyYAML's composer in pure Python.

    It refuses some tabs that YAML allows; libyaml's composer reads those.
    """
    try:
        return _bare(yaml.compose(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return _bare(yaml.compose(text, Loader=yaml.CSafeLoader))


def _bare(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {str(_bare(key)): _bare(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_bare(value) for value in node.value]
    return normalize("NFC", node.value)


def differences(said: object, read: object, where: str = "") -> Iterator[str]:
    """Yield each place where what was read is not what the file says, whatever its type."""
    if isinstance(said, dict) and isinstance(read, dict):
        for key in sorted(said.keys() ^ read.keys()):
            yield f"{where}.{key}: {'only read' if key in read else 'lost'}"
        for key in sorted(said.keys() & read.keys()):
            yield from differences(said[key], read[key], f"{where}.{key}")
    elif isinstance(said, list) and isinstance(read, list | tuple) and len(said) == len(read):
        for at, (one, two) in enumerate(zip(said, read, strict=True)):
            yield from differences(one, two, f"{where}[{at}]")
    elif not (isinstance(said, str) and _same(said, read)):
        yield f"{where}: {said!r} read as {read!r}"


def _same(said: str, read: object) -> bool:
    """Return whether a scalar and the typed value are the same to the last digit."""
    if isinstance(read, list | tuple):  # a single word where a list is meant
        return [said] == list(read) or (said == "none" and not read)
    if isinstance(read, bool):
        return said == str(read).lower()
    if isinstance(read, Decimal):
        return Decimal(said).as_tuple() == read.as_tuple()
    if isinstance(read, int):
        return Decimal(said) == read
    return said == (read.isoformat() if isinstance(read, date) else read)
