"""What can be wrong: a `Problem` in somebody's files, an `EvidenceError` in what was asked, and every code with its remedy."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

Severity = Literal["error", "warning", "note"]
Path: TypeAlias = tuple[str | int, ...]


class EvidenceError(Exception):
    """Raised when something is asked for that cannot be given; the message says what to ask instead."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a problem code stands for.

    Attributes
    ----------
    title : str
        The fault, in a few words.
    why : str
        Why it matters and what to do.
    example : str
        A line or two that have the fault.
    severity : {"error", "warning", "note"}
        Errors make `check` fail; a warning is a doubt to show; a note is for information.
    """

    title: str
    why: str
    example: str
    severity: Severity


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One thing to mend, with the place to mend it.

    Attributes
    ----------
    path, line, column : str, int, int
        Where: relative to the ledger, counted from 1.
    code : str
        A name in `CODES`, which says why it matters; `mesoevidence check --explain CODE` prints it.
    message, hint : str
        What is wrong, and what to do.

    Examples
    --------
    >>> print(Problem("evidence/studies/moftah-2013.yaml", 31, 14, "E304", "54 is not 62.8 % of 88", "see `how`"))
    evidence/studies/moftah-2013.yaml:31:14: E304 54 is not 62.8 % of 88
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""

    @property
    def severity(self) -> Severity:
        """Return how much it weighs: "error", "warning" or "note"."""
        return CODES[self.code].severity

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.code} {self.message}"


class Found(NamedTuple):
    """What a check finds in a record: a problem that has its path there, and not yet its file and line.

    Attributes
    ----------
    code : str
        A name in `CODES`.
    path : tuple
        The fields and list positions that lead to it; its `key` is meant, or the value.
    message, hint : str
        What is wrong, and what to do.
    """

    code: str
    path: Path
    message: str
    hint: str
    key: bool = False


_error = partial(Code, severity="error")
_warning = partial(Code, severity="warning")
_note = partial(Code, severity="note")


def _by_eye(title: str, example: str) -> Code:
    """Return a code that only a reader can raise: it stands in `flags`, no check finds it."""
    why = "A doubt that a reader raised in `flags`; every view of the study shows it."
    return _warning(title, why, example)


CODES: Mapping[str, Code] = MappingProxyType(
    {
        # E0xx: the file and its syntax
        "E001": _error("cannot be read", "A record is a regular file inside the ledger that may be read; links are not followed.", "evidence/studies/x.yaml -> ../../elsewhere.yaml"),
        "E002": _error("too large", "A record has at most 256 KiB: larger is a slip, or belongs elsewhere.", "a record of 3 MB"),
        "E003": _error("not UTF-8", "Other encodings would be guessed at; save the file as UTF-8.", "label: M\\xfcller"),
        "E004": _error("a character that cannot be shown", "Control characters and text-direction overrides hide or reorder what a reader sees.", 'label: "a\\x07b"'),
        "E005": _error("an unsettled merge conflict", "Settle it and remove the marker lines.", "<<<<<<< HEAD"),
        "E006": _error("not YAML", "Usually a missing quote, a tab, or a colon inside unquoted text.", "claim: regrowth: in men"),
        "E007": _error("YAML beyond the subset", "Anchors, aliases, tags, directives, merge keys and second documents can hide what a record says.", "arms: &a {x: {}}"),
        "E008": _error("a field stands twice", "YAML would silently take the last one.", "n: 40\nn: 41"),
        "E009": _error("too deep", "No record needs more than 12 levels.", "[[[[[[[[[[[[[]]]]]]]]]]]]]"),
        "E010": _error("text after ` #` would be lost", "YAML takes it for a comment. Quote the value, or use two spaces before a real comment.", "detail: dose #2"),
        "E011": _error("not a record", "A record is a list of `field: value` lines.", "- one\n- two"),
        "E012": _error("misnamed file", "Records are named ID.yaml.", "evidence/claims/x.yml"),
        "E020": _error("a broken bibliography entry", "The entry is left out; the others are kept.", "@article{a2014, title = {never closed"),
        "E021": _error("a bibliography key stands twice", "Keys are compared ignoring case; neither silently wins.", "@article{a2014, ...} @article{A2014, ...}"),
        "E022": _error("a bibliography key out of pattern", "Keys are lower-case letters and digits, such as moftah2013.", "@article{Moftah:2013, ...}"),
        "E023": _error("an undefined abbreviation", "A bare word in a field must be defined by @string; else write the text in braces.", "journal = jead"),
        "E024": _error("a bibliography field stands twice", "Keep one of them.", "title = {A}, title = {B}"),
        "E025": _error("a bibliography field out of pattern", "A DOI begins with 10., a PMID is a number, a year has four digits, @online needs url and urldate, every entry a title.", "doi = {doi.org/abc}"),
        "E026": _error("no such bibliography field", "Probably a slip of the pen: what the field says would be lost.", "auhtor = {Moftah, N.}"),
        # E1xx: ids and references
        "E101": _error("an id out of pattern", "Ids are lower-case words joined by hyphens, at most 64 characters, and no reserved file name.", "id: Moftah_2013"),
        "E102": _error("the id is not the file's name", "So that a record is found where its id says.", "id: moftah-2012   in moftah-2013.yaml"),
        "E103": _error("an id stands twice", "Ids are unique over the whole ledger, whatever the kind of record.", "claims/x.yaml and studies/x.yaml"),
        "E104": _error("a slug is declared twice", "Populations, interventions and outcomes are unique over all topics.", "outcomes: {response: ...} in two topics"),
        "E105": _error("no such reference", "The key must stand in references.bib.", "reports: [moftha2013]"),
        "E106": _error("no such study", "A study that is named must have its record.", "study: moftah-2031"),
        "E107": _error("no such synthesis", "A synthesis that is named must have its record.", "synthesis: meso-saline"),
        "E108": _error("no such population, intervention or outcome", "A topic must declare it.", "outcome: hair-densty"),
        "E109": _error("no such arm", "The study must declare the arm under `arms`.", "values: {placebo: {n: 40}}"),
        "E110": _error("no such result", "The study must have a result of that id.", "result: photos"),
        "E111": _error("a result id stands twice", "Results are named by id within their study.", "- id: photographs   twice"),
        "E112": _error("no such topic", "`topics` names records of evidence/topics.", "topics: [hairloss]"),
        # E2xx: fields
        "E201": _error("a field is missing", "The schema asks for it; `mesoevidence new` shows all fields.", "a claim without `kind`"),
        "E202": _error("no such field", "Usually a slip of the pen; an unknown field would be ignored.", "analyzed: itt"),
        "E203": _error("the wrong shape", "A list, a block of fields or a single text is expected here.", "reports: moftah2013"),
        "E204": _error("not a number", "Numbers are ASCII digits with at most one point, without quotes.", "n: forty"),
        "E205": _error("not in the vocabulary", "The hint lists the words that may stand here.", "design: RCT"),
        "E206": _error("not a date", "Dates are YYYY-MM-DD.", "on: 22.11.2026"),
        "E207": _error("empty", "Leave a field out when it is not known; there is no empty value.", "title:"),
        "E208": _error("out of range", "Counts, SDs and SEs are not negative; a risk lies between 0 and 1.", "sd: -2"),
        "E209": _error("out of pattern", "The hint shows the pattern.", "outcome: Hair Density"),
        "E210": _error("more events than persons", "`events` may not exceed `n`.", "{events: 54, n: 40}"),
        "E211": _error("more said than known", "A field that depends on another stands without it.", "reviewed_by without status: reviewed"),
        "E212": _error("an interval that does not hold its estimate", "Lower limit first, and the estimate between them.", "{estimate: 4.2, ci: [0.9, 3.6]}"),
        "E213": _error("a citation without its proof", "`resolved` needs a ref, `ambiguous` candidates, `unresolved` and `nonexistent` a search.", "resolution: unresolved   without search"),
        "E214": _error("reviewed by nobody else", "`status: reviewed` needs `reviewed_by`, a person other than `by`.", "status: reviewed"),
        "E215": _error("a candidate without a name", "Give `ref`, or `label` when the document was not seen; not both.", "- {match: possible}"),
        "E216": _error("a result without a finding", "Give values, an effect, a paired difference or at least a direction.", "- {id: a, outcome: response, from: ...}"),
        "E217": _error("asserts and kind disagree", "Every claim but `background` says what it asserts.", "kind: benefit   without asserts"),
        "E218": _error("an evidence line of two things or of none", "A line names one synthesis or one study.", "- {direction: supports, directness: direct}"),
        "E219": _error("indirect without its gap", "Say in which of population, intervention, comparator, outcome it is indirect.", "directness: indirect"),
        "E220": _error("analysis and narrative", "A synthesis has an analysis or says why there is none: exactly one.", "analysis: ... and narrative: ..."),
        "E221": _error("an arm used twice", "A control arm used twice counts its persons twice.", "two lines with moftah-2013, saline"),
        "E222": _error("an order that cannot be", "min <= q1 <= median <= q3 <= max, and the lower bound of a range before the upper.", "{q1: 5, median: 4}"),
        "E223": _error("values that do not fit the outcome", "Events belong to dichotomous outcomes, means to continuous ones.", "{mean: 3.2} for a dichotomous outcome"),
        "E224": _error("a result of another outcome", "A synthesis includes results of the outcome it asks about.", "pico outcome: response; result of hair-density"),
        "E225": _error("evidence counted twice", "A study inside a cited synthesis may not be a second line of the claim.", "synthesis: s and study: in-s"),
        "E226": _error("a study nobody could find", "Give reports, or a registration, or a title.", "id: x, design: rct, read: abstract"),
        "E227": _error("a record without a topic", "Where no population, intervention or outcome is named, `topics` is needed.", "a history claim without topics"),
        "E228": _error("included and excluded", "A study stands on one side only.", "include: x; exclude: {x: ...}"),
        "E229": _error("arms of a synthesis that do not say who was compared", "Name the arms of each side; the same arm may not stand on both.", "{intervention: [a], comparator: [a]}"),
        # E3xx: provenance
        "E301": _error("a number without a place", "Every result and baseline says where it was read, under `from`.", "a result without `from`"),
        "E302": _error("a number that its figures do not show", "What is `reported` must occur in `figures` as it was printed.", 'events: 45   figures: "54 of 86"'),
        "E303": _error("calculated, but not said how", 'Give `how`: "percentage x n", or equations on the figures such as "62.8 % x 86 = 54".', "method: calculated"),
        "E304": _error("a calculation that does not come out", "Recomputed from `figures`, the value is another one.", 'events: 55   how: "62.8 % x 86 = 55"'),
        "E305": _error("more than eight words of a source", "`words` is a witness of the wording, not a quotation.", "words: nine or more consecutive words ..."),
        # E4xx: the logic of judgements
        "E401": _error("risk of bias better than its domains", "The overall judgement is never better than the tool's rule gives; where a domain could not be judged it is `not-assessed`.", "{randomisation: high, ...}, overall: low"),
        "E402": _error("a word the tool does not have", "Each tool has its own domains and levels; the hint lists them.", "tool: rob2, domains: {blinding: ...}"),
        "E403": _error("a domain left out", "Every domain of the tool is judged; what could not be judged from what was read is `not-assessed`, with why.", "rob2 with four domains"),
        "E404": _error("judged twice with one tool", "A result, or the whole study, has one appraisal by each tool.", "two entries of rob2 for one result"),
        "E411": _error("certainty that its parts do not give", "Start, less the steps down, plus those up, never beyond high or very low.", "start high, one step down, overall: low"),
        "E412": _error("down without why", "Every step down says what was seen.", "imprecision: {down: 1}"),
        "E413": _error("certainty without its parts", "GRADE needs start, five domains and overall; `system: none` needs why, and no overall.", "system: grade   without `start`"),
        "E421": _error("a verdict milder than its evidence allows", "The rule of the schema gives another verdict; a recorded one may be stricter, never milder.", "judgement: supported   with very low certainty"),
        # W3xx: consistency of what the source printed
        "W301": _warning("a mean that whole-number data cannot give", "GRIM: n values in steps of the outcome cannot average to it.", "mean: 3.45, n: 10, step: 1"),
        "W302": _warning("a percentage of no whole number", "No whole number of these persons gives the printed percentage.", "77.5 % of 37"),
        "W303": _warning("p does not follow from the means", "No usual test of these means, SDs and n gives that p.", "p 0.031 where t gives 0.34"),
        "W304": _warning("p does not follow from the counts", "No usual test of this 2x2 table gives that p.", "18/26 v 9/24, p 0.006"),
        "W305": _warning("the estimate is not where its interval puts it", "On its scale an estimate lies in the middle of its interval.", "SMD 1.27 (0.993 to 1.639)"),
        "W306": _warning("interval and p disagree", "An interval without the null has p below 1 - level, and the other way round.", "MD 2 (1 to 3), p = 0.4"),
        "W307": _warning("a ratio with a symmetric interval", "Ratios are symmetric on the log scale; on the raw scale it was a difference, or is misprinted.", "OR 1.61 (0.52 to 2.70)"),
        "W308": _warning("a standard error printed as a standard deviation", "The spread is implausibly small for this outcome.", "MD 7.90 (7.14 to 8.66), 14 per arm"),
        "W309": _warning("parts that do not add up", "Arms, subgroups or analysed numbers do not give the stated total.", "107 + 38 = 145, text says 146"),
        "W320": _by_eye("sources disagree", "two reviews give different figures of one trial"),
        "W321": _by_eye("pairing or the unit of analysis ignored", "split faces analysed as two groups"),
        "W322": _by_eye("a within-arm test presented as a comparison", "before-after p in a two-arm trial"),
        "W323": _by_eye("many unadjusted tests", "twelve comparisons at 0.05"),
        "W324": _by_eye("an implausible result", "100 % of persons without hair fall"),
        "W325": _by_eye("arms that differ in more than the treatment", "injection and needling against drops"),
        "W326": _by_eye("randomisation unclear or contradictory", "`divided into two groups`"),
        "W327": _by_eye("cohorts that may overlap", "two papers of one clinic and year"),
        "W328": _by_eye("a misprinted identifier", "a registry number of seven digits"),
        "W329": _by_eye("incomplete reporting", "no spread, no arm sizes"),
        "W330": _by_eye("run or paid by the maker", "authors employed by the product's owner"),
        "W331": _by_eye("an outcome that does not measure what is concluded", "diameter variation as regrowth"),
        "W332": _by_eye("attrition, or completers only", "28 completed of an unknown number"),
        "W333": _by_eye("not the population of the claim", "ageing skin for dry skin"),
        "W334": _by_eye("a regimen described in contradictory ways", "12 sessions that add up to 11"),
        "W335": _by_eye("not peer reviewed, or of doubtful standing", "a conference abstract of an open call"),
        "W339": _by_eye("another doubt", "anything a reader should know"),
        # W5xx: judgements whose inputs moved
        "W501": _warning("a judgement whose inputs changed", "The included results, their risk of bias, the outcome or the analysis are others than when it was signed: judge it again, then sign it.", "basis: 16fc0ccefa28   after a count was corrected"),
        # W6xx: the data suggest another judgement of certainty
        "W601": _warning("the data suggest another step", "What was recorded stands; say why it is not what the data suggest.", "imprecision: {down: 0}   with an interval across no effect"),
        "W602": _warning("up beside down", "Evidence with a flaw is usually not rated up; say why this one is.", "large_effect: {up: 1} beside risk_of_bias: {down: 1}"),
        "W603": _warning("a start above the lowest design", "A mixed body starts where its lowest design does, or its designs are rated apart.", "start: high   with a case series"),
        "W604": _warning("some concerns in many domains", "Together they may make a high risk; leave it when they do not lower confidence substantially.", "three domains with some-concerns, overall: some-concerns"),
        "W605": _warning("a line that points against its data", "The pooled interval, or every study, says the opposite of the line's direction.", "direction: supports   an increase, with RR 0.4 (0.2 to 0.8)"),
        # W7xx: claim audit
        "W701": _warning("a background passage as evidence", "What a paper says in passing is no evidence for it; cite its source.", "role: background"),
        "W702": _warning("a claim nobody makes", "A claim should appear in at least one source.", "a claim without appearances"),
        "W703": _note("no evidence and no search", "Nothing was cited, found or looked for: log a search, or add a line.", "a claim without evidence and search"),
        "W704": _warning("a citation still to be traced", "`pending` says that nobody has looked yet.", "resolution: pending"),
        "W705": _note("a second-hand number", "It was read in another document than the study's own reports, and is shown so.", "from: {ref: herzruelas2020} of abdallah-2009"),
        "W706": _note("a study nobody uses", "No claim, synthesis or review in the ledger names it.", "a study without use"),
        "W707": _note("a reference nobody cites", "No record names this entry.", "@article{unused2020, ...}"),
        "W708": _warning("a record that was set aside", "What is rejected or superseded stays to be read, and is no evidence: name what took its place.", "study: x   with status: rejected in x.yaml"),
        # W8xx: the state of a source
        "W801": _warning("a retracted source", "Acknowledge it by a flag, and think again about using it.", "x-status = {retracted}"),
        "W802": _warning("a source under an expression of concern", "Acknowledge it by a flag.", "x-status = {expression-of-concern}"),
        "W803": _note("not checked for retraction", "Nobody has asked a retraction database; set x-status when it was done.", "x-status = {unchecked}"),
        "W804": _note("a corrected source", "Make sure the corrected figures are the ones recorded.", "x-status = {corrected}"),
    }
)  # fmt: skip


def short(text: str, limit: int = 60) -> str:
    r"""Return what a message may show of a text: one line, every sign printable, cut where it is long.

    >>> short("two\nlines\u00adand more", 12)
    'two lines?a…'
    """
    line = "".join(sign if sign.isprintable() else "?" for sign in " ".join(text[: 4 * limit].split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def nearest(word: str, words: Iterable[str], alike: float = 0.6) -> str | None:
    """Return the word most like `word`, if one is like it at all, from 0 to 1.

    >>> nearest("hair-densty", ["hair-density", "response"])
    'hair-density'
    """
    return next(iter(get_close_matches(word, list(words), n=1, cutoff=alike)), None)


def guess(word: str, words: Iterable[str]) -> str:
    """Return what ends a message about a word that is not there: the nearest one, if one is like it.

    >>> guess("respons", ["hair-density", "response"])
    "; did you mean 'response'?"
    """
    near = nearest(word, words)
    return f"; did you mean {near!r}?" if near else ""


def one_of(word: str, words: Collection[str]) -> str:
    """Return which words may stand there instead, the nearest first.

    >>> one_of("RCT2", ["cohort", "rct"])
    'did you mean `rct`? one of cohort, rct'
    """
    near, listed = nearest(word.lower(), words), f"one of {', '.join(words)}"
    return f"did you mean `{near}`? {listed}" if near else listed
