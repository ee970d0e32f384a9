"""`references.bib` read into `Reference`s: good entries load, each broken one is a problem at its line."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from unicodedata import normalize

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares.names import (
    InvalidNameError,
    parse_single_name_into_parts,
    split_multiple_persons_names,
)
from bibtexparser.model import (
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    Entry,
    ParsingFailedBlock,
    String,
)
from pylatexenc.latex2text import LatexNodes2Text

from mesoevidence import files
from mesoevidence.problems import Problem, nearest, short
from mesoevidence.vocabulary import ReferenceStatus, words

# The parser logs every broken block as well as returning it; a problem is said once.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_KEY = re.compile(r"[a-z0-9]+")
_ENTRY = re.compile(r"@\w+[ \t]*[{(]\s*([a-z0-9]+)\s*,")
_FIELD = re.compile(r"[a-z][a-z0-9_-]*")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEB = re.compile(r"https?://[^\s<>\"{}|\\^`]+")
_YEAR = re.compile(r"\d{4}")
_PMID = re.compile(r"\d{1,8}")
_PATTERNS = {
    "doi": (_DOI, "a DOI as it stands after doi.org/, such as 10.1111/j.1468-3083.2012.04535.x"),
    "pmid": (_PMID, "a number of up to 8 digits"),
    "year": (_YEAR, "four digits"),
    "url": (_WEB, "an address that begins with https:// or http://"),
    "urldate": (_DAY, "YYYY-MM-DD"),
    "x-status-on": (_DAY, "YYYY-MM-DD"),
}
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
_READ = frozenset((*_PATTERNS, "author", "journal", "pages", "pmcid", "title", "x-status"))
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
        who = self.authors[0].family if self.authors else " ".join(self.title.split()[:4]) or self.key
        return f"{who} {self.year}" if self.year else who

    def vancouver(self) -> str:
        """Return the reference in Vancouver style (ICMJE), with its status when it is retracted or in doubt.

        What was not seen is left out, never guessed.
        """
        return _vancouver(self)


def parse(text: str, path: str = "references.bib") -> tuple[dict[str, Reference], list[Problem]]:
    r"""Read a bibliography: its references by key, and a problem for everything in it that fails.

    >>> found, faults = parse('@article{m2013, title = {A}, author = {M{\\"u}ller, Hans}, year = 2013}')
    >>> found["m2013"].vancouver(), faults
    ('Müller H. A. 2013.', [])
    """
    library = parse_string(text, parse_stack=[])
    strings: dict[str, str] = {}
    for block in library.blocks:
        if isinstance(block, String) and (pieces := _pieces(block.value)):
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
        elif isinstance(block, Entry):
            problems += _add(block, line, strings, found, path)
        elif isinstance(block, DuplicateBlockKeyBlock):
            problems.append(
                Problem(
                    path, line, 1, "E021", f"`{short(block.key)}` stands twice", "keep one of the two entries"
                )
            )
        elif isinstance(block, DuplicateFieldKeyBlock) and isinstance(block.ignore_error_block, Entry):
            problems += _twice(block.ignore_error_block, block.duplicate_keys, path)
            problems += _add(block.ignore_error_block, line, strings, found, path)
        elif isinstance(block, ParsingFailedBlock):
            reason = "a brace or quote is not closed, or a comma is missing"
            problems.append(
                Problem(path, line, 1, "E020", f"this entry is broken: {reason}", "mend it; it is left out")
            )
    return found, problems


def keys_in(text: str) -> set[str]:
    """Return the keys of all entries that a text seems to hold, broken ones among them."""
    return set(_ENTRY.findall(text))


def _twice(entry: Entry, names: Iterable[str], path: str) -> Iterator[Problem]:
    """Yield a problem for each field that stands twice, and take it out of its entry."""
    for name in sorted(names):
        line = [field.start_line or 0 for field in entry.fields if field.key == name][-1] + 1
        yield Problem(path, line, 1, "E024", f"`{short(name)}` stands twice", "keep one of them")
    entry.fields = [field for field in entry.fields if field.key not in names]


def _add(
    entry: Entry, line: int, strings: Mapping[str, str], found: dict[str, Reference], path: str
) -> Iterator[Problem]:
    """Add one entry to what was found, or yield why not; a faulty field is left out of its entry."""
    if not _KEY.fullmatch(entry.key):
        message = f"the key `{short(entry.key)}` is out of pattern"
        yield Problem(path, line, 1, "E022", message, "lower-case letters and digits")
        return
    fields: dict[str, str] = {}
    missed = _READ - {field.key.lower() for field in entry.fields}
    authors: tuple[Person, ...] = ()
    for field in entry.fields:
        name, at = field.key.lower(), (field.start_line or 0) + 1
        pieces = _pieces(field.value)
        if pieces is None or not _FIELD.fullmatch(name):
            yield Problem(path, at, 1, "E020", "this entry is broken near here", "mend it; it is left out")
            return
        raw, missing = _joined(pieces, strings)
        if missing:
            hint = "write the text in braces, or add an @string"
            yield Problem(path, at, 1, "E023", f"`{missing}` is not defined", hint)
            continue
        if name not in _READ and (near := nearest(name, missed, 0.75)):
            yield Problem(path, at, 1, "E026", f"there is no field `{name}`", f"did you mean `{near}`?")
        value, fault = _ESCAPED.sub(r"\1", raw) if name in _AS_WRITTEN else _decoded(raw), ""
        people: tuple[Person, ...] = ()
        if name == "author":
            people, fault = _people(raw)
        if fault := fault or _fault(name, value):
            yield Problem(path, at, 1, "E025", f"{name} is out of pattern: {short(value)}", fault)
        else:
            fields[name] = value
            authors = people or authors
    needed = ("title", "url", "urldate") if entry.entry_type.lower() == "online" else ("title",)
    for name in needed:
        if name not in fields:
            yield Problem(path, line, 1, "E025", f"`{entry.key}` has no {name}", f"add {name} = {{...}}")
    found[entry.key] = Reference(
        entry.key, entry.entry_type.lower(), MappingProxyType(fields), authors, path, line
    )


def _pieces(value: str) -> list[str] | None:
    """Return the pieces that `#` joins, each in braces, in quotes or bare; None where a comma is missing."""
    if value[:1] == "{" and value.find("}") == len(value) - 1 and value.find("{", 1) < 0:
        return [value]
    pieces, depth, quoted, begin, at = [], 0, False, 0, 0
    for found in _DELIMITER.finditer(value):
        sign, at = found[0], found.start()
        depth += (sign == "{") - (sign == "}")
        if sign == '"' and not depth:
            quoted = not quoted
        elif sign == "#" and not depth and not quoted:
            pieces.append(value[begin:at].strip())
            begin = at + 1
    pieces.append(value[begin:].strip())
    return pieces if all(map(_is_one_piece, pieces)) else None


def _is_one_piece(piece: str) -> bool:
    """Return whether a text is one group in braces, one text in quotes, or one word."""
    if piece[:1] not in ("{", '"'):
        return not re.search(r"[\s{}\"]", piece)
    depth, quoted = 0, False
    for found in _DELIMITER.finditer(piece):
        depth += (found[0] == "{") - (found[0] == "}")
        if found[0] == '"' and not depth:
            quoted = not quoted
        if not depth and not quoted and found.end() < len(piece):
            return False
    return depth == 0 and not quoted


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
    for name in split_multiple_persons_names(text.replace("\\~", _TILDE)):
        if name == "others":
            people.append(Person("et al"))
            continue
        try:
            parts = parse_single_name_into_parts(name)
        except InvalidNameError:
            return (), "write `Family, Given and Family, Given`"
        family, given, suffix = ([*parts.von, *parts.last], parts.first, parts.jr)
        people.append(
            Person(*(_decoded(" ".join(part).replace(_TILDE, "\\~")) for part in (family, given, suffix)))
        )
    if not all(who.family for who in people):
        return (), "write `Family, Given and Family, Given`"
    return tuple(people), ""


def _fault(name: str, value: str) -> str:
    """Return what a field should look like when it does not."""
    if name in _PATTERNS:
        pattern, hint = _PATTERNS[name]
        return "" if pattern.fullmatch(value) else hint
    if name == "x-status" and value not in words(ReferenceStatus):
        return "one of " + ", ".join(words(ReferenceStatus))
    return "" if value else "leave it out when it is not known"


def _vancouver(reference: Reference) -> str:
    fields = reference.fields
    names = [
        " ".join(filter(None, (who.family, who.initials, who.suffix.rstrip("."))))
        for who in reference.authors
    ]
    if len(names) > 6:
        names = [*names[:6], "et al"]
    online = reference.type == "online"
    parts = [", ".join(names), f"{reference.title.rstrip('.')} [Internet]" if online else reference.title]
    issue = f"({fields['number']})" if "number" in fields else ""
    pages = f":{fields['pages'].replace('–', '-')}" if "pages" in fields else ""
    volume = fields.get("volume", "")
    where = (
        fields.get("journal")
        or fields.get("booktitle")
        or fields.get("publisher")
        or fields.get("institution")
        or ""
    )
    when = f"{reference.year or ''}"
    place = f"{volume}{issue}{pages}"
    parts += [where, f"{when};{place}" if when and place else when or place]
    text = " ".join(f"{part.rstrip('.')}." for part in parts if part) or f"{reference.key}."
    if online and "urldate" in fields:
        text += f" [cited {fields['urldate']}]."
    if link := reference.link:
        text += f" Available from: {link}" if online else f" {link}"
    if reference.status not in ("none", "unchecked"):
        text += f" [{reference.status.replace('-', ' ')}]"
    return text
