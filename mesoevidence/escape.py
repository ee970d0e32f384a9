"""Evidence text made safe to show: one function for each place it may go."""

import re
from html import escape as _html

from pylatexenc.latexencode import UnicodeToLatexEncoder

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")
# The ten characters that LaTeX reads as its own, and those of ASCII that its fonts show as others.
_LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "{}$&#%_"},
        "\\": r"\textbackslash{}",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "`": r"\textasciigrave{}",
        '"': r"\textquotedbl{}",
        "⊕": r"\known{}",  # the two circles of certainty, of one size: `latex` defines them
        "◯": r"\unknown{}",
    }
)
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)|(?<=[!?])(?=\\textasciigrave)")
_BEYOND_ASCII = UnicodeToLatexEncoder(
    non_ascii_only=True, unknown_char_policy="unihex", unknown_char_warning=False
)
_BLANKS = re.compile(r"[ \t\r\n]+")
# What opens or closes something in Markdown, and where GitHub would begin a link unasked.
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~$&#@]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def html(text: object) -> str:
    """Return text that HTML shows as it is, inside elements and quoted attributes.

    >>> html('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return _html(str(text), quote=True)


def cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe before it (OWASP ASVS 1.2.10).

    >>> cell("=1+1"), cell("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def latex(text: str) -> str:
    r"""Return text that LaTeX prints as it is, with either engine; a character it cannot print by its number.

    >>> print(latex("50 % of {x} -- é"))
    50 \% of \{x\} -{}- \'e
    """
    shown = _LIGATURE.sub("{}", _BLANKS.sub(" ", text).translate(_LATEX))
    return str(_BEYOND_ASCII.unicode_to_latex(shown))


def markdown(text: str) -> str:
    r"""Return text that Markdown shows as it is, in one line, also in the cell of a table.

    >>> print(markdown("a | *b* [c](https://d)"))
    a \| \*b\* \[c\](https\://d)
    """
    return _MARKDOWN.sub(r"\\\g<0>", _BLANKS.sub(" ", text))
