"""Evidence text made safe to show: one function for each place it may go."""

from html import escape as _html

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")


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
