"""`references.bib` read into `Reference`s: good entries load, each broken one is a problem at its line."""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from unicodedata import normalize

from bibtexparser import model as blocks
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import names as naming
from pylatexenc.latex2text import LatexNodes2Text

from mesoevidence import files
from mesoevidence.problems import Problem, nearest, short
from mesoevidence.vocabulary import ReferenceStatus, words

# The parser logs every broken block as well as returning it; a problem is said once.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_KEY = re.compile(r"[a-z0-9]+")
_ENTRY = re.compile(r"@\w+[ \t]*[{(]\s*([a-z0-9]+)\s*,")
_FIELD = re.compile(r"[a-z][a-z0-9_-]*")
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_STATUS = words(ReferenceStatus)
# What a field must look like, and how that is said.
_PATTERNS = {
    "doi": (
        r"10\.\d{4,9}/\S+",
        "a DOI as it stands after doi.org/, such as 10.1111/j.1468-3083.2012.04535.x",
    ),
    "pmid": (r"\d{1,8}", "a number of up to 8 digits"),
    "year": (r"\d{4}", "four digits"),
    "url": (r"https?://[^\s<>\"{}|\\^`]+", "an address that begins with https:// or http://"),
    "urldate": (_DAY, "YYYY-MM-DD"),
    "x-status": ("|".join(_STATUS), f"one of {', '.join(_STATUS)}"),
    "x-status-on": (_DAY, "YYYY-MM-DD"),
}
_WRITTEN = (r"(?s).+", "leave it out when it is not known")
_NAMES = "write `Family, Given and Family, Given`"
_LATEX = re.compile(r"[\\{}~$]|--|''|``")
_MATH = re.compile(r"(?<!\\)(\$[^$]*\$)")
_STYLE = re.compile(r"\\(?:emph|mbox|text(?:it|bf|rm|sc|sl|up)?)\s*\{([^{}]*)\}")
_MACRO = re.compile(
    r"""\\(?:[`'^"~=.]\s*(?:\{\\?[A-Za-z]?\}|\\[ij](?![A-Za-z])|[A-Za-z])"""  # an accent over a letter
    r"""|[bcdHkrtuv](?:\s*\{\\?[A-Za-z]+\}|\s+(?:\\[ij](?![A-Za-z])|[A-Za-z]))"""  # an accent that has a name
    r"""|[A-Za-z]+(?:\{\}|[ \n]+)?|[&%$\#_ ])"""  # a letter or sign that has a name; an escaped sign
)
_NAMED = re.compile(r"\\([A-Za-z]+)(?:\{\}|[ \n]+)?")
_SIGN = re.compile(r"---?|``|''|~|\\?[{}]")
_SIGNS = {"---": "—", "--": "–", "``": "“", "''": "”", "~": " ", r"\{": "{", r"\}": "}"}
_TILDE = "\ue000"  # stands for an accent that the splitting of names would take for a space
_DELIMITER = re.compile(r'(?<!\\)[{}"#]')
_ESCAPED = re.compile(r"\\([_%&#~])")
_READ = frozenset((*_PATTERNS, "author", "journal", "pages", "pmcid", "title"))
_AS_WRITTEN = frozenset(("doi", "url", "urldate", "pmid"))
_DECODER = LatexNodes2Text(math_mode="verbatim", keep_braced_groups=False, strict_latex_spaces=True)


@dataclass(frozen=True, slots=True)
class Person:
    """An author: a family name, given names, a suffix such as "Jr"; a body, or "et al", is `family` alone."""

    family: str
    given: str = ""
    suffix: str = ""

    @property
    def initials(self) -> str:
        """Return the initials of the given names, as Vancouver style writes them.

        >>> Person("Abd-Elaziz", "Ghada M.-L.").initials
        'GML'
        """
        if self.given.isupper() and self.given.isalpha() and len(self.given) <= 3:
            return self.given
        return "".join(part[0].upper() for part in re.split(r"[\s.\-]+", self.given) if part)


@dataclass(frozen=True, slots=True)
class Reference:
    """One document, as far as its fields were verified.

    Attributes
    ----------
    key : str
        The citation key.
    type : str
        The kind of entry, such as ``article`` or ``online``.
    fields : Mapping of str to str
        The fields by lower-case name, LaTeX decoded.
    authors : tuple of Person
        The authors in their order; empty where none was seen.
    path, line : str, int
        Where the entry begins.
    """

    key: str
    type: str
    fields: Mapping[str, str]
    authors: tuple[Person, ...]
    path: str
    line: int

    @property
    def title(self) -> str:
        """Return the title."""
        return self.fields.get("title", "")

    @property
    def year(self) -> int | None:
        """Return the year, or None where it was not seen."""
        return int(self.fields["year"]) if "year" in self.fields else None

    @property
    def status(self) -> str:
        """Return whether it was retracted, corrected and so on; "unchecked" where nobody asked."""
        return self.fields.get("x-status", "unchecked")

    @property
    def doi(self) -> str | None:
        """Return the DOI in lower case, since DOIs are compared so."""
        return self.fields["doi"].lower() if "doi" in self.fields else None

    @property
    def link(self) -> str | None:
        """Return the address to open: the DOI's, PubMed's, or the entry's own."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if "pmid" in self.fields:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.fields['pmid']}/"
        return self.fields.get("url")

    @property
    def label(self) -> str:
        """Return first author and year, such as "Moftah 2013"; the title's first words without an author."""
        first, *rest = self.title.split(maxsplit=4) or [self.key]
        title = " ".join([first, *rest[:3]]) + ("…" if len(rest) > 3 else "")
        who = self.authors[0].family if self.authors else title
        return f"{who} {self.year}" if self.year else who

    def vancouver(self) -> str:
        """Return the reference in Vancouver style (ICMJE), with its status when it is retracted or in doubt.

        What was not seen is left out, never guessed.
        """
        fields, online = self.fields, self.type == "online"
        parts = ((who.family, who.initials, who.suffix.rstrip(".")) for who in self.authors)
        names = [" ".join(filter(None, part)) for part in parts]
        if len(names) > 6:
            names[6:] = ["et al"]
        title = f"{self.title.rstrip('.')} [Internet]" if online else self.title
        places = ("journal", "booktitle", "publisher", "institution")
        where = next((fields[name] for name in places if name in fields), "")
        issue = f"({fields['number']})" if "number" in fields else ""
        pages = f":{fields['pages'].replace('–', '-')}" if "pages" in fields else ""
        volume = f"{fields.get('volume', '')}{issue}{pages}"
        year = fields.get("year", "")
        when = f"{year}{';' if year and volume[:1] not in ('', ':') else ''}{volume}"
        if online and "urldate" in fields:
            when = f"{when} {_cited(fields['urldate'])}".strip()
        said = filter(None, (", ".join(names), title, where, when))
        text = " ".join(f"{part.rstrip('.')}." for part in said) or f"{self.key}."
        if link := self.link:
            text += f" Available from: {link}" if online else f" {link}"
        if self.status not in ("none", "unchecked"):
            text += f" [{self.status.replace('-', ' ')}]"
        return text


def _cited(day: str) -> str:
    """Return when a page was read, as ICMJE writes a day.

    >>> _cited("2026-01-31")
    '[cited 2026 Jan 31]'
    """
    year, month, number = day.split("-")
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"[cited {year} {names[int(month) - 1]} {int(number)}]"


def parse(text: str, path: str = "references.bib") -> tuple[dict[str, Reference], list[Problem]]:
    r"""Read a bibliography: its references by key, and a problem for everything in it that fails.

    >>> found, faults = parse('@article{m2013, title = {A}, author = {M{\\"u}ller, Hans}, year = 2013}')
    >>> found["m2013"].vancouver(), faults
    ('Müller H. A. 2013.', [])
    """
    library = parse_string(text, parse_stack=[])
    strings: dict[str, str] = {}
    for block in library.blocks:
        if isinstance(block, blocks.String) and (pieces := _pieces(block.value)):
            value, missing = _joined(pieces, strings)
            strings |= {} if missing else {block.key.lower(): value}
    flawed: dict[int, Problem] = {}
    for flaw in files.flaws(text, path):
        flawed.setdefault(flaw.line, flaw)
    found: dict[str, Reference] = {}
    problems: list[Problem] = []
    for block in library.blocks:
        line = (block.start_line or 0) + 1
        last = line + (block.raw or "").count("\n")
        if flawed and (here := [flawed[at] for at in range(line, last + 1) if at in flawed]):
            problems.append(here[0])
            continue
        entry = block.ignore_error_block if isinstance(block, blocks.DuplicateFieldKeyBlock) else block
        if isinstance(entry, blocks.Entry):
            problems += _add(entry, line, strings, found, path)
        elif isinstance(block, blocks.DuplicateBlockKeyBlock):
            message = f"`{short(block.key)}` stands twice"
            problems.append(Problem(path, line, 1, "E021", message, "keep one of the two entries"))
        elif isinstance(block, blocks.ParsingFailedBlock):
            message = "this entry is broken: a brace or quote is not closed, or a comma is missing"
            problems.append(Problem(path, line, 1, "E020", message, "mend it; it is left out"))
    return found, problems


def keys_in(text: str) -> set[str]:
    """Return the keys of all entries that a text seems to hold, broken ones among them."""
    return set(_ENTRY.findall(text))


def _add(
    entry: blocks.Entry, line: int, strings: Mapping[str, str], found: dict[str, Reference], path: str
) -> Iterator[Problem]:
    """Add one entry to what was found, or yield why not; a faulty field is left out of its entry."""
    if not _KEY.fullmatch(entry.key):
        message = f"the key `{short(entry.key)}` is out of pattern"
        yield Problem(path, line, 1, "E022", message, "lower-case letters and digits")
        return
    fields: dict[str, str] = {}
    last = {field.key.lower(): field for field in entry.fields}
    times = Counter(field.key.lower() for field in entry.fields)
    authors: tuple[Person, ...] = ()
    for field in entry.fields:
        name, at = field.key.lower(), (field.start_line or 0) + 1
        if times[name] > 1:
            if field is last[name]:
                yield Problem(path, at, 1, "E024", f"`{short(name)}` stands twice", "keep one of them")
            continue
        pieces = _pieces(field.value)
        if pieces is None or not _FIELD.fullmatch(name):
            yield Problem(path, at, 1, "E020", "this entry is broken near here", "mend it; it is left out")
            return
        raw, missing = _joined(pieces, strings)
        if missing:
            hint = "write the text in braces, or add an @string"
            yield Problem(path, at, 1, "E023", f"`{missing}` is not defined", hint)
            continue
        if name not in _READ and (near := nearest(name, _READ - times.keys(), 0.75)):
            yield Problem(path, at, 1, "E026", f"there is no field `{name}`", f"did you mean `{near}`?")
        value = _ESCAPED.sub(r"\1", raw) if name in _AS_WRITTEN else _decoded(raw)
        people, fault = _people(raw) if name == "author" else ((), "")
        if hint := fault or _remedy(name, value):
            yield Problem(path, at, 1, "E025", f"{name} is out of pattern: {short(value)}", hint)
        else:
            fields[name] = value
            authors = people or authors
    kind = entry.entry_type.lower()
    for name in ("title", "url", "urldate") if kind == "online" else ("title",):
        if name not in fields:
            yield Problem(path, line, 1, "E025", f"`{entry.key}` has no {name}", f"add {name} = {{...}}")
    found[entry.key] = Reference(entry.key, kind, MappingProxyType(fields), authors, path, line)


def _remedy(name: str, value: str) -> str:
    """Return how a field is written where it is not so, or that a day does not exist; else nothing."""
    pattern, hint = _PATTERNS.get(name, _WRITTEN)
    if not re.fullmatch(pattern, value):
        return hint
    try:
        if pattern == _DAY:
            date.fromisoformat(value)
    except ValueError:
        return "no such day: look at the calendar"
    return ""


def _pieces(value: str) -> list[str] | None:
    """Return the pieces that `#` joins, each in braces, in quotes or bare; None where a comma is missing."""
    if value[:1] == "{" and value.find("}") == len(value) - 1 and value.find("{", 1) < 0:
        return [value]
    cuts = [found.start() for found in _outside(value) if found[0] == "#"]
    ends = zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(value)], strict=True)
    pieces = [value[begin:end].strip() for begin, end in ends]
    return pieces if all(map(_is_one_piece, pieces)) else None


def _outside(value: str) -> Iterator[re.Match[str]]:
    """Yield the delimiters behind which a value stands outside of braces and quotes."""
    depth, quoted = 0, False
    for found in _DELIMITER.finditer(value):
        depth += (found[0] == "{") - (found[0] == "}")
        quoted ^= found[0] == '"' and not depth
        if not depth and not quoted:
            yield found


def _is_one_piece(piece: str) -> bool:
    """Return whether a text is one group in braces, one text in quotes, or one word."""
    if piece[:1] not in ("{", '"'):
        return not re.search(r"[\s{}\"]", piece)
    return [found.end() for found in _outside(piece)] == [len(piece)]


def _joined(pieces: list[str], strings: Mapping[str, str]) -> tuple[str, str]:
    """Return the text of a value's pieces, spaces folded, and the first abbreviation nobody defined."""
    texts = []
    for piece in pieces:
        if piece[:1] in ("{", '"'):
            texts.append(piece[1:-1])
        elif piece.isdigit():
            texts.append(piece)
        elif piece.lower() in strings:
            texts.append(strings[piece.lower()])
        else:
            return "", short(piece) or "#"
    return " ".join("".join(texts).split()), ""


def _decoded(text: str) -> str:
    """Return text with LaTeX accents and signs decoded; mathematics and what is not known stay as written."""
    if not _LATEX.search(text):
        return text
    parts = (part if at % 2 else _plain(part) for at, part in enumerate(_MATH.split(text)))
    return " ".join("".join(parts).split())


def _plain(text: str) -> str:
    """Return text without LaTeX; where a macro is left that nobody knows, its braces are left too."""
    while text != (bare := _STYLE.sub(r"{\1}", text)):
        text = bare
    text = _MACRO.sub(lambda found: _macro(found[0]), text)
    if re.search(r"\\[^{}]", text):
        return text
    return _SIGN.sub(lambda found: _SIGNS.get(found[0], ""), text)


@lru_cache(maxsize=4096)
def _macro(text: str) -> str:
    """Return the letter or sign a macro stands for, or the macro where it stands for more or for nothing."""
    if named := _NAMED.fullmatch(text):
        shown = getattr(_DECODER.latex_context.get_macro_spec(named[1]), "simplify_repl", None)
    else:
        shown = normalize("NFC", _DECODER.latex_to_text(text))
    return shown if isinstance(shown, str) and 0 < len(shown) <= 2 and "%" not in shown[:-1] else text


def _people(text: str) -> tuple[tuple[Person, ...], str]:
    """Return the authors of a field, split before LaTeX is decoded, and what to do where one is no name."""
    people = []
    for name in naming.split_multiple_persons_names(text.replace("\\~", _TILDE)):
        if name == "others":
            people.append(Person("et al"))
            continue
        try:
            found = naming.parse_single_name_into_parts(name)
        except naming.InvalidNameError:
            return (), _NAMES
        names = (found.von + found.last, found.first, found.jr)
        parts = (" ".join(name).replace(_TILDE, "\\~") for name in names)
        people.append(Person(*map(_decoded, parts)))
    return (tuple(people), "") if all(who.family for who in people) else ((), _NAMES)
