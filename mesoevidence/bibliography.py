"""`references.bib` read into `Reference`s: good entries load, each broken one is a problem at its line."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

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
from mesoevidence.problems import Problem
from mesoevidence.vocabulary import ReferenceStatus, words

# The parser logs every broken block as well as returning it; a problem is said once.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_KEY = re.compile(r"[a-z0-9]+")
_ENTRY = re.compile(r"^[ \t]*@\w+[ \t]*[{(]\s*([a-z0-9]+)\s*,", re.MULTILINE)
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
_GROUP = re.compile(r"\{\\[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_SIGNS = (("---", "—"), ("--", "–"), ("``", "“"), ("''", "”"), ("~", " "), ("{", ""), ("}", ""))
_DECODER = LatexNodes2Text(math_mode="verbatim", keep_braced_groups=False, strict_latex_spaces=True)


@dataclass(frozen=True, slots=True)
class Person:
    """An author: a family name with the given names, or a body under `family` alone."""

    family: str
    given: str = ""

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
        who = self.authors[0].family if self.authors else " ".join(self.title.split()[:4])
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
    strings = {
        block.key.lower(): _unbraced(block.value) for block in library.blocks if isinstance(block, String)
    }
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
                Problem(path, line, 1, "E021", f"`{block.key}` stands twice", "keep one of the two entries")
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
        yield Problem(path, line, 1, "E024", f"`{name}` stands twice", "keep one of them")
    entry.fields = [field for field in entry.fields if field.key not in names]


def _add(
    entry: Entry, line: int, strings: Mapping[str, str], found: dict[str, Reference], path: str
) -> Iterator[Problem]:
    """Add one entry to what was found, or yield why not; a faulty field is left out of its entry."""
    if not _KEY.fullmatch(entry.key):
        message = f"the key `{entry.key[:40]}` is out of pattern"
        yield Problem(path, line, 1, "E022", message, "lower-case letters and digits")
        return
    fields: dict[str, str] = {}
    authors: tuple[Person, ...] = ()
    for field in entry.fields:
        name, at = field.key.lower(), (field.start_line or 0) + 1
        if not _FIELD.fullmatch(name):
            yield Problem(path, at, 1, "E020", "this entry is broken near here", "mend it; it is left out")
            return
        raw, missing = _resolved(field.value, strings)
        if missing:
            hint = "write the text in braces, or add an @string"
            yield Problem(path, at, 1, "E023", f"`{missing}` is not defined", hint)
            continue
        value, fault = _decoded(raw), ""
        people: tuple[Person, ...] = ()
        if name == "author":
            people, fault = _people(raw)
        if fault := fault or _fault(name, value):
            yield Problem(path, at, 1, "E025", f"{name} is out of pattern: {value[:40]}", fault)
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


def _resolved(value: str, strings: Mapping[str, str]) -> tuple[str, str]:
    """Return a field's text with abbreviations put in and `#` joined, and the first one nobody defined."""
    value = value.strip()
    if value[:1] == "{" or (value[:1] == '"' and "#" not in value):
        return _unbraced(value), ""
    parts = []
    for part in value.split("#"):
        word = part.strip()
        if word[:1] in '{"' or word.isdigit():
            parts.append(_unbraced(word) if word else "")
        elif word.lower() in strings:
            parts.append(strings[word.lower()])
        else:
            return "", word[:40] or "#"
    return "".join(parts), ""


def _unbraced(value: str) -> str:
    """Return what stands between a field's own braces or quotes, spaces folded."""
    value = value.strip()
    if len(value) > 1 and (value[0], value[-1]) in (("{", "}"), ('"', '"')):
        value = value[1:-1]
    return " ".join(value.split())


def _decoded(text: str) -> str:
    """Return text with LaTeX accents and signs decoded; what cannot be decoded stays as it is."""
    if not _LATEX.search(text):
        return text
    text = _GROUP.sub(lambda found: _macro(found[0]), text)
    if "\\" in text or "$" in text:
        text = _macro(text)
    for sign, shown in _SIGNS:
        text = text.replace(sign, shown)
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def _macro(text: str) -> str:
    """Return LaTeX as text; the same few accents come again and again."""
    return str(_DECODER.latex_to_text(text))


def _people(text: str) -> tuple[tuple[Person, ...], str]:
    """Return the authors of a field, split before LaTeX is decoded, and what to do where one is no name."""
    people = []
    for name in split_multiple_persons_names(text):
        if name.startswith("{") and name.endswith("}"):
            people.append(Person(_decoded(name)))
            continue
        try:
            parts = parse_single_name_into_parts(name)
        except InvalidNameError:
            return (), "write `Family, Given and Family, Given`"
        family = _decoded(" ".join([*parts.von, *parts.last, *parts.jr]))
        people.append(Person(family, _decoded(" ".join(parts.first))))
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
    names = [f"{who.family} {who.initials}".strip() for who in reference.authors]
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
    text = " ".join(f"{part.rstrip('.')}." for part in parts if part)
    if online and "urldate" in fields:
        text += f" [cited {fields['urldate']}]."
    if link := reference.link:
        text += f" Available from: {link}" if online else f" {link}"
    if reference.status not in ("none", "unchecked"):
        text += f" [{reference.status.replace('-', ' ')}]"
    return text
