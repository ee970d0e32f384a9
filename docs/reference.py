"""What the library itself holds, as Markdown: records, codes, measures, tools, suggestions."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import mesoevidence as me
from mesoevidence import appraisal, suggestions, templates
from mesoevidence.formulas import COLUMNS, MEASURES
from mesoevidence.problems import CODES
from mesoevidence.vocabulary import DESIGNS

SLUG, KEY, ANY = "^[a-z0-9]+(?:-[a-z0-9]+)*$", "^[a-z0-9]+$", "\\S"
GROUPS = {
    "E0": "The file and its syntax",
    "E1": "Ids and references",
    "E2": "Fields",
    "E3": "Where numbers were read",
    "E4": "The logic of judgements",
    "W3": "Doubts about what a source printed",
    "W5": "Stale judgements",
    "W6": "Where the data suggest another judgement",
    "W7": "The audit of claims",
    "W8": "The state of a source",
    "W9": "Reporting",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of Markdown; a bar in a cell is text."""
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """Return text as code, whatever signs it has."""
    fence = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def listed(words: Iterable[str]) -> str:
    """Return words as code, one after the other."""
    return ", ".join(map(code, words)) or "none"


# Records ------------------------------------------------------------------------------------------


def holds(node: Mapping[str, Any]) -> str:
    """Return in words what a field may hold."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return f"[{name}](#block-{name.lower()})"
    if "enum" in node:
        return listed(node["enum"])
    if "anyOf" in node:
        return ", or ".join(holds(part) for part in node["anyOf"])
    if "const" in node:
        return code(str(node["const"]))
    if "patternProperties" in node:
        ((pattern, inside),) = node["patternProperties"].items()
        return f"by {'bibliography key' if pattern == KEY else 'slug'}: {holds(inside)}"
    if node.get("type") == "array":
        if "prefixItems" in node:
            return "two numbers, `[low, high]`"
        return f"list of {holds(node['items'])}"
    return scalar(node)


def scalar(node: Mapping[str, Any]) -> str:
    """Return in words what a single value may be."""
    kind, low, high = node.get("type"), node.get("minimum"), node.get("maximum")
    if kind in ("integer", "number"):
        word = "whole number" if kind == "integer" else "number"
        return word + (f", {low} to {high}" if high is not None else f", {low} or more" if low == 0 else "")
    named = {SLUG: "slug", KEY: "bibliography key", ANY: "text"}.get(node.get("pattern", ""))
    return named or {"boolean": "`true` or `false`"}.get(str(kind), "date, `YYYY-MM-DD`")


def fields(node: Mapping[str, Any]) -> str:
    """Return the fields of one kind of record or block as a table."""
    needed = node.get("required", ())
    rows = [
        (code(name) + (" (required)" if name in needed else ""), holds(field))
        for name, field in node["properties"].items()
    ]
    return table(("field", "holds"), sorted(rows, key=lambda row: "(required)" not in row[0]))


def records() -> str:
    """Return every kind of record with its template and its fields, then every block."""
    parts, blocks = [], {}
    for kind in templates.FOLDER_OF:
        schema = json.loads(templates.schema(kind))
        blocks |= schema["$defs"]
        made = templates.template(kind, f"my-{kind}")
        parts.append(f"## {kind.capitalize()}\n\n{schema['description']}\n\n{fields(schema)}")
        parts.append(f"`mesoevidence new {kind} my-{kind}` writes this:\n\n```yaml\n{made.rstrip()}\n```")
    parts.append("## Blocks\n\nFields that hold several fields, by name.")
    for name, block in sorted(blocks.items()):
        parts.append(
            f"(block-{name.lower()})=\n\n### {name}\n\n{block.get('description', '')}\n\n{fields(block)}"
        )
    return "\n\n".join(parts)


def designs() -> str:
    """Return the study designs with what each begins with."""
    rows = [
        (code(name), item.label, item.start or "not rated", str(item.level or ""), ", ".join(item.sevco))
        for name, item in DESIGNS.items()
    ]
    return table(("design", "in words", "GRADE starts", "OCEBM 2011", "SEVCO"), rows)


# Codes --------------------------------------------------------------------------------------------


def codes() -> str:
    """Return every problem code under its group."""
    parts = []
    for group, title in GROUPS.items():
        inside = {name: entry for name, entry in CODES.items() if name.startswith(group)}
        if inside:
            parts.append(f"## {title} ({group}xx)")
        for name, entry in inside.items():
            weight, example = entry.severity.capitalize(), f"```text\n{entry.example}\n```"
            parts.append(f"({name})=\n\n### {name}: {entry.title}\n\n*{weight}.* {entry.why}\n\n{example}")
    return "\n\n".join(parts)


# Methods ------------------------------------------------------------------------------------------


def measures() -> str:
    """Return the effect measures with what each needs and how it is shown."""
    shown = {"exp": "logarithm", "expit": "logit", "tanh": "Fisher z", "square-sine": "arcsine"}
    rows = [
        (
            code(name),
            item.label,
            listed(COLUMNS[item.shape]),
            shown.get(item.transform, "as shown"),
            "" if item.null is None else f"{item.null:g}",
            listed(item.vtypes),
        )
        for name, item in MEASURES.items()
    ]
    return table(("measure", "in words", "columns", "computed as", "no effect", "`vtype`"), rows)


def tools() -> str:
    """Return the risk-of-bias tools with domains and levels, in our own words."""
    rows = [
        (
            code(name),
            " ".join(filter(None, (tool.label, f"({tool.version})" if tool.version else ""))),
            "; ".join(tool.domains.values()) or "the reviewer's own",
            listed(tool.levels),
            listed(tool.overall) + ("" if tool.rule else " (no rule stated)"),
            tool.source,
        )
        for name, tool in appraisal.TOOLS.items()
    ]
    return table(("tool", "name", "domains", "a domain may be", "overall", "source"), rows)


def suggested() -> str:
    """Return what is suggested for each domain of certainty, in the words of its function."""
    rules = {"start": suggestions.start, **suggestions.DOWN, **suggestions.UP}
    parts = [f"{code(name)}\n: {said(rule)}" for name, rule in rules.items()]
    return "\n\n".join(parts)


def said(function: Callable[..., object]) -> str:
    """Return a docstring as one paragraph."""
    return " ".join((inspect.getdoc(function) or "").split())


# The interface ------------------------------------------------------------------------------------


def others() -> str:
    """Return the public names that the page of the interface has under none of its headings."""
    page = (Path(__file__).parent / "api.md").read_text(encoding="utf-8")
    names = [name for name in sorted(me.__all__) if f":: mesoevidence.{name}" not in page]
    shown = [f"```{{eval-rst}}\n.. autofunction:: mesoevidence.{name}\n```" for name in names]
    return "\n\n".join(["## More", *shown]) if shown else ""


PARTS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "codes": codes,
        "designs": designs,
        "measures": measures,
        "others": others,
        "records": records,
        "suggestions": suggested,
        "tools": tools,
    }
)
