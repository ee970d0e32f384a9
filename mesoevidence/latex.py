"""Documents as LaTeX that compiles as it is, with pdflatex and with lualatex."""

from collections.abc import Callable
from typing import Any

from mesoevidence.documents import Cell, Document, Grid, Heading, Line, Paragraph, Part, Picture, places
from mesoevidence.escape import latex as escaped

_PREAMBLE = r"""% Compiles as it is. For a paper take the packages, the new commands and a longtable.
\documentclass[10pt]{article}
\usepackage[T1]{fontenc}
\usepackage{textcomp,lmodern,amssymb,graphicx,array,booktabs,longtable,pdflscape}
\usepackage[a4paper,%smargin=15mm]{geometry}
% The circles of certainty: a plus in a circle, and an empty circle of the same size.
\newcommand{\known}{\ensuremath{\oplus}}
\newcommand{\unknown}{\raisebox{0.055em}{\scalebox{0.76}{\ensuremath{\bigcirc}}}\kern0.04em}
\setlength{\parindent}{0pt}\setlength{\parskip}{3pt}\setlength{\tabcolsep}{3pt}
\emergencystretch=3em
\newcolumntype{L}[1]{>{\raggedright\arraybackslash\hspace{0pt}}p{#1}}
\begin{document}
"""
_SHAPES = {"strong": r"\textbf{%s}", "mark": r"\textsuperscript{%s}"}


def latex(document: Document) -> str:
    """Return a document as LaTeX."""
    shown = []
    for block in document.blocks:
        text = _BLOCKS[type(block)](block)
        on_its_side = isinstance(block, Grid) and block.wide and not document.turned
        shown.append(f"\\begin{{landscape}}\n{text}\n\\end{{landscape}}" if on_its_side else text)
    preamble = _PREAMBLE.replace("%s", "landscape," if document.turned else "")
    title = rf"{{\Large\bfseries\raggedright {escaped(document.title)}\par}}"
    return "\n\n".join([preamble + title, *shown, "\\end{document}\n"])


def _heading(heading: Heading) -> str:
    size = r"\large" if heading.level == 2 else r"\normalsize"
    return rf"\bigskip {{{size}\bfseries\raggedright {escaped(heading.text)}\par}}\nopagebreak"


def _paragraph(paragraph: Paragraph) -> str:
    return rf"{{\small {_line(paragraph.parts)}\par}}"


def _picture(picture: Picture) -> str:
    """Return a page of a chart that stands beside the document."""
    page = rf"[width=\linewidth,height=.85\textheight,keepaspectratio,page={picture.page + 1}]"
    return rf"\includegraphics{page}{{{picture.name}.pdf}}"


def _table(grid: Grid) -> str:
    """Return a table that breaks over pages, its head on each of them."""
    columns = "".join(f"L{{{_width(share)}}}" for share in grid.widths)
    over, rules, caption = [], [], escaped(grid.caption)
    for at, item in places(grid.over):
        over.append(_over_columns(item, "c") if item.lines else "")
        rules += [rf"\cmidrule(lr){{{at + 1}-{at + item.columns}}}"] if item.lines else []
    lines = [
        r"{\scriptsize" if grid.dense else r"{\footnotesize",
        rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
        rf"\multicolumn{{{len(grid.head)}}}{{@{{}}l}}{{\normalsize\textbf{{{caption}}}}} \\[2pt]",
        r"\toprule",
        *([" & ".join(over) + r" \\", "".join(rules)] if over else []),
        " & ".join(rf"\textbf{{{escaped(name)}}}" for name in grid.head) + r" \\",
        r"\midrule\endhead",
        r"\bottomrule\endfoot",
        *(_row(grid, row) for row in grid.body),
        r"\end{longtable}}",
    ]
    return "\n".join(lines)


def _width(share: float) -> str:
    return rf"\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax"


def _over_columns(item: Cell, look: str) -> str:
    return rf"\multicolumn{{{item.columns}}}{{{look}}}{{{_cell(item)}}}"


def _row(grid: Grid, row: tuple[Cell, ...]) -> str:
    if grid.is_group(row):
        wide = rf"\multicolumn{{{row[0].columns}}}{{@{{}}L{{\linewidth}}@{{}}}}"
        return rf"\addlinespace {wide}{{{_cell(row[0])}}} \\*\addlinespace"
    shown = []
    for at, item in places(row):
        look = f"L{{{_width(sum(grid.widths[at : at + item.columns]))}}}"
        shown.append(_over_columns(item, look) if item.columns > 1 else _cell(item))
    return " & ".join(shown) + r" \\\addlinespace"


def _cell(item: Cell) -> str:
    return r"\newline ".join(map(_line, item.lines))


def _line(line: Line) -> str:
    return "".join(map(_part, line))


def _part(part: Part) -> str:
    """Return a part; a blank at either end is kept."""
    lead, tail = (" " if part.text[:1] == " " else ""), (" " if part.text[-1:] == " " else "")
    shown = escaped(part.text.strip(" "))
    return f"{lead}{_SHAPES.get(part.style, '%s') % shown}{tail}" if shown else lead


_BLOCKS: dict[type, Callable[[Any], str]] = {
    Heading: _heading, Paragraph: _paragraph, Grid: _table, Picture: _picture
}  # fmt: skip
