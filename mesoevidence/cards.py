"""Nested plain data shown as a readable card, in text and in HTML."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from mesoevidence import escape

Plain = object  # text, numbers, and lists and mappings of them


def text(title: str, content: Mapping[str, Plain], width: int = 100) -> str:
    """Return a card as indented text.

    >>> print(text("A claim", {"kind": "benefit", "pico": {"outcome": "response", "population": ["men"]}}))
    A claim
      kind: benefit
      pico: outcome response; population men
    """
    return "\n".join([fill(title, width), *_lines(content, 2, width)])


def _lines(node: Plain, indent: int, width: int) -> list[str]:
    """Return the lines of a value, each under its name."""
    lines: list[str] = []
    if isinstance(node, Mapping):
        for name, value in node.items():
            label = f"{str(name).replace('_', ' ')}:"
            if _is_short(value):
                lines.append(_filled(f"{label} {_inline(value)}", indent, width))
            else:
                lines += [" " * indent + label, *_lines(value, indent + 2, width)]
        return lines
    for value in node if isinstance(node, Sequence) and not isinstance(node, str) else (node,):
        if _is_short(value):
            lines.append(_filled(f"- {_inline(value)}", indent, width))
        else:
            below = _lines(value, indent + 2, width)
            lines += [" " * indent + "- " + below[0].lstrip(), *below[1:]] if below else []
    return lines


def html(title: str, content: Mapping[str, Plain]) -> str:
    """Return a card as an HTML section with a table of its fields."""
    style = 'style="text-align:left;vertical-align:top"'
    rows = "".join(
        f'<tr><th scope="row" {style}>{escape.html(name.replace("_", " "))}</th>'
        f"<td {style}>{_cell(value)}</td></tr>"
        for name, value in content.items()
    )
    return f"<table><caption>{escape.html(title)}</caption><tbody>{rows}</tbody></table>"


def _cell(node: Plain) -> str:
    if _is_plain(node):
        return escape.html(_inline(node))
    if isinstance(node, Mapping):
        parts = (
            f"<b>{escape.html(str(name).replace('_', ' '))}</b> {_cell(value)}"
            for name, value in node.items()
        )
        return "; ".join(parts)
    if isinstance(node, Sequence):
        return f"<ul>{''.join(f'<li>{_cell(value)}</li>' for value in node)}</ul>"
    return escape.html(node)


def _is_plain(node: Plain) -> bool:
    """Return whether a value fits in one run of text."""
    if isinstance(node, Mapping):
        return False
    if isinstance(node, Sequence) and not isinstance(node, str):
        flat = not any(isinstance(value, Mapping | list | tuple) for value in node)
        return flat and sum(len(str(value)) for value in node) <= 120
    return True


def _is_short(node: Plain) -> bool:
    """Return whether a value stands on one line: plain, or a small block of plain values."""
    if isinstance(node, Mapping):
        return all(map(_is_plain, node.values())) and len(_inline(node)) <= 110
    return _is_plain(node)


def _inline(node: Plain) -> str:
    if isinstance(node, Mapping):
        return "; ".join(f"{name} {_inline(value)}" for name, value in node.items())
    if isinstance(node, Sequence) and not isinstance(node, str):
        return ("; " if any("," in str(value) for value in node) else ", ").join(map(str, node))
    return str(node)


def _filled(line: str, indent: int, width: int) -> str:
    return fill(line, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4))


def number(value: float) -> str:
    """Return a number with two decimals, or three digits where that says more.

    >>> number(2.345), number(0.01234), number(12345.6)
    ('2.35', '0.0123', '1.23e+04')
    """
    return f"{value:.2f}" if 0.1 <= abs(value) < 1000 or value == 0 else f"{value:.3g}"
