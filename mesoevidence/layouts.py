"""Findings laid out in the columns of a summary of findings and of an evidence profile."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType

from mesoevidence import console
from mesoevidence.bodies import inside
from mesoevidence.certainty import Certainty, Domain
from mesoevidence.documents import Cell, Grid, Line, Paragraph, Part, cell, paragraph
from mesoevidence.findings import Anticipated, Arm, Comparison, Finding
from mesoevidence.formulas import MEASURES
from mesoevidence.targets import Limits

LEVELS = MappingProxyType(
    {"high": "High", "moderate": "Moderate", "low": "Low", "very-low": "Very low", "not-graded": "Not graded"}
)
_DOWN = ("not serious", "serious", "very serious", "extremely serious")
_OTHER = MappingProxyType(
    {
        "publication_bias": ("", "publication bias suspected", "publication bias strongly suspected"),
        "large_effect": ("", "large effect", "very large effect"),
        "dose_response": ("", "dose response", "dose response"),
        "opposing_confounding": ("", "plausible confounding works against the effect") * 2,
    }
)
_STEPS = ("no level", "one level", "two levels", "three levels")
_LONG = 45  # characters of a name in the head of a column
_MEANS, _RISKS = ("MD", "SMD"), ("RD", "PR", "PLO")
_SUMMARY_WIDTHS = (0.14, 0.12, 0.13, 0.11, 0.14, 0.13, 0.23)
_PROFILE_WIDTHS = (0.095, 0.05, 0.08, 0.06, 0.08, 0.075, 0.07, 0.065, 0.075, 0.075, 0.06, 0.07, 0.075, 0.07)


class Letters:
    """The lettered explanations of a document, each text once, in the order they are first asked for."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def mark(self, texts: Iterable[str]) -> Part:
        """Return the letters of explanations as one mark."""
        return Part(
            ",".join(self._letters.setdefault(text, _letter(len(self._letters))) for text in texts), "mark"
        )

    def explained(self) -> list[Paragraph]:
        """Return each explanation with its letter, under a line that says what they are."""
        lines = [paragraph(Part(f"{letter}. ", "strong"), text) for text, letter in self._letters.items()]
        return [paragraph(Part("Explanations", "strong")), *lines] if lines else []


def _letter(at: int) -> str:
    """Return a, b, ... z, aa, ab."""
    return (_letter(at // 26 - 1) if at >= 26 else "") + chr(ord("a") + at % 26)


def summary(found: Sequence[Finding], caption: str, letters: Letters) -> Grid:
    """Return findings as a summary of findings, in the columns of the Cochrane Handbook, chapter 14."""
    treated, compared = _sides(found)
    head = (
        "Outcomes", f"Risk with {compared}", f"Risk with {treated}", "Relative effect (95\u00a0%\u00a0CI)",
        "Participants (studies)", "Certainty of the evidence (GRADE)", "Comments",
    )  # fmt: skip
    over = (
        cell(),
        cell("Anticipated absolute effects* (95\u00a0%\u00a0CI)", columns=2),
        *(cell() for _ in range(4)),
    )
    return Grid(caption, over, head, _grouped(found, _summary_row, letters, len(head)), _SUMMARY_WIDTHS)


def profile(found: Sequence[Finding], caption: str, letters: Letters) -> Grid:
    """Return findings as an evidence profile: every domain of certainty in a word."""
    over = (
        cell(), cell("Certainty assessment", columns=7), cell("Persons", columns=2),
        cell("Effect (95\u00a0%\u00a0CI)", columns=2), cell(), cell(),
    )  # fmt: skip
    head = (
        "Outcome", "Studies", "Design", "Risk of bias", "Inconsistency", "Indirectness", "Imprecision",
        "Other", "Intervention", "Comparison", "Relative", "Absolute", "Certainty", "Importance",
    )  # fmt: skip
    return Grid(caption, over, head, _grouped(found, _profile_row, letters, len(head)), _PROFILE_WIDTHS)


def comparison_said(comparison: Comparison) -> str:
    """Return a comparison in a line."""
    if not comparison.comparator:
        return f"{said(comparison.intervention)}, without a comparison"
    return f"{said(comparison.intervention)} compared with {inside(comparison.comparator)}"


def said(label: str) -> str:
    """Return labels joined by "or" as they begin a line: "Intradermal dutasteride or intradermal saline"."""
    return capital(inside(label))


def capital(text: str) -> str:
    """Return text that begins a line."""
    return text[:1].upper() + text[1:]


def _sides(found: Sequence[Finding]) -> tuple[str, str]:
    """Return what the columns of the two sides are called: a long name stands above the table alone."""
    sides = {finding.comparison.sides for finding in found}
    treated, compared = (inside(side) for side in sides.pop()) if len(sides) == 1 else ("", "")
    if not 0 < len(treated) <= _LONG or not 0 < len(compared) <= _LONG:
        return "the intervention", "the comparison"
    return treated, compared


def _grouped(
    found: Sequence[Finding],
    row: Callable[[Finding, Letters, bool], tuple[Cell, ...]],
    letters: Letters,
    columns: int,
) -> tuple[tuple[Cell, ...], ...]:
    """Return a row for each finding; under a heading for each comparison, where there are several."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        groups.setdefault(finding.comparison.sides, []).append(finding)
    rows: list[tuple[Cell, ...]] = []
    for members in groups.values():
        populations = {finding.comparison.population for finding in members}
        if len(groups) > 1:
            title = (Part(comparison_said(members[0].comparison), "strong"),)
            named = (Part(f" · {populations.pop()}", "muted"),) if len(populations) == 1 else ()
            rows.append((cell((*title, *named), columns=columns),))
        rows += [row(finding, letters, len(populations) > 1) for finding in members]
    return tuple(rows)


# The summary of findings ------------------------------------------------------------------------


def _summary_row(finding: Finding, letters: Letters, apart: bool) -> tuple[Cell, ...]:
    certainty = finding.certainty
    outcome = cell(*_outcome(finding, apart), *_muted(finding.follow_up, "Follow-up: "))
    return (
        outcome, *_effect(finding, letters), cell(*_people(finding)),
        cell(*_certainty(certainty, letters)), cell(certainty.plain),
    )  # fmt: skip


def _outcome(finding: Finding, apart: bool) -> tuple[Line, ...]:
    """Return the outcome, with its population where the comparison has several."""
    outcome = finding.certainty.question.outcome
    return ((Part(outcome, "strong"),), *_muted(finding.comparison.population if apart else None))


def _effect(finding: Finding, letters: Letters) -> tuple[Cell, ...]:
    """Return the three cells of the effect, or one that says why there is none."""
    seen, unit = finding.certainty.seen, finding.certainty.question.unit
    if finding.not_pooled is not None or seen.shown is None or seen.measure is None:
        return (cell(finding.not_pooled or "Not pooled.", columns=3),)
    if seen.measure in _MEANS:
        shown = difference(seen.measure, seen.shown, unit)
        return cell(_means(finding, unit)), cell(*_over_two(shown)), cell("–")
    ratio = cell(*_over_two(relative(finding) or "–"))
    if finding.anticipated is None:
        missing = "No risk with the comparison is known" if seen.measure in ("RR", "OR") else "Not computed"
        return cell(missing), cell("–"), ratio
    return *_risks(finding.anticipated, letters), ratio


def _over_two(effect: str) -> list[str]:
    """Return an effect and, on a line of its own, its interval."""
    estimate, bracket, interval = effect.partition(" (")
    return [estimate, f"({interval}" if bracket else ""]


def _risks(risks: Anticipated, letters: Letters) -> tuple[Cell, Cell]:
    """Return both risks; where the arithmetic goes beyond a certainty, that is said."""
    without = cell("No comparison")
    if risks.without is not None:
        source = letters.mark([f"The risk with the comparison is {risks.source}."])
        without = cell((Part(per_thousand(risks.without)), source))
    low, high = (_thousand(end) for end in (risks.treated.low, risks.treated.high))
    marks = (letters.mark([beyond_said(risks)]),) if risks.beyond else ()
    return without, cell(per_thousand(risks.treated.estimate), (Part(f"({low} to {high})"), *marks))


def beyond_said(risks: Anticipated) -> str:
    """Return the warning that an effect at this baseline gives what no risk can be."""
    ends = " and ".join(f"{1000 * risk:.0f} per 1000 (shown as {1000 * (risk > 0)})" for risk in risks.beyond)
    at = f" at a risk of {per_thousand(risks.without)}" if risks.without is not None else ""
    return f"The effect{at} gives {ends}, which no risk can be."


def _means(finding: Finding, unit: str | None) -> str:
    """Return the means with the comparison."""
    if finding.comparator_means is None or finding.certainty.seen.measure != "MD":
        return "–"
    low, high = _figures(finding.comparator_means)
    said = f"The mean was {low}" if low == high else f"The means were {low} to {high}"
    return f"{said} {unit or ''}".strip()


def difference(measure: str, shown: Limits, unit: str | None) -> str:
    """Return a difference of means in words.

    >>> difference("MD", Limits(-10.65, -16.24, -5.06), "points")
    'MD 10.65 points lower (16.24 lower to 5.06 lower)'
    """
    named = "SD" if measure == "SMD" else unit or ""
    sizes = _figures([abs(end) for end in shown])
    first, low, high = ("lower" if end < 0 else "higher" for end in shown)
    mean = " ".join(word for word in (measure, sizes[0], named, first) if word)
    return f"{mean} ({sizes[1]} {low} to {sizes[2]} {high})"


def relative(finding: Finding) -> str:
    """Return the effect as "RR 0.49 (0.34 to 0.70)"; empty where it is a difference or a risk."""
    seen = finding.certainty.seen
    if seen.shown is None or seen.measure is None or seen.measure in (*_MEANS, *_RISKS):
        return ""
    estimate, low, high = _figures(seen.shown)
    return f"{seen.measure} {estimate} ({low} to {high})"


def _figures(values: Sequence[float]) -> list[str]:
    """Return numbers with the same decimals: two, or as many as the smallest needs for two digits."""
    smallest = min((abs(value) for value in values if value), default=1.0)
    decimals = 2 if smallest >= 0.01 else min(1 - math.floor(math.log10(smallest)), 6)
    return [f"{value:.{decimals}f}" for value in values]


def absolute(finding: Finding) -> str:
    """Return the difference in risks or means in words; empty where there is none."""
    seen, risks = finding.certainty.seen, finding.anticipated
    if seen.shown is not None and seen.measure in _MEANS:
        return difference(seen.measure, seen.shown, finding.certainty.question.unit)
    if risks is None:
        return ""
    if risks.difference is None:
        low, high = (_thousand(end) for end in (risks.treated.low, risks.treated.high))
        return f"{per_thousand(risks.treated.estimate)} ({low} to {high})"
    first, begin, end = (
        (_thousand(abs(change)), "fewer" if change < 0 else "more") for change in risks.difference
    )
    return f"{first[0]} {first[1]} per 1000 (from {' '.join(begin)} to {' '.join(end)})"


def per_thousand(risk: float) -> str:
    """Return a risk in whole persons of a thousand.

    >>> per_thousand(0.1894), per_thousand(0.0002), per_thousand(0)
    ('189 per 1000', 'fewer than 1 per 1000', '0 per 1000')
    """
    return f"{_thousand(risk)} per 1000"


def _thousand(risk: float) -> str:
    whole = math.floor(1000 * risk + 0.5)
    return "fewer than 1" if whole == 0 and risk > 0 else f"{whole}"


def _people(finding: Finding) -> tuple[str, str]:
    persons, k = finding.certainty.seen.persons, finding.certainty.seen.k
    designs = ", ".join(counted(count, label) for label, count in finding.designs.items())
    said = designs if len(finding.designs) == 1 else f"{console.plural(k, 'study')}: {designs}"
    return "Number not known" if persons is None else f"{persons:,}", f"({said})"


def counted(count: int, label: str) -> str:
    """Return how many studies of a design there are.

    >>> counted(2, "case series"), counted(2, "cohort study"), counted(2, "review with meta-analysis")
    ('2 case series', '2 cohort studies', '2 reviews with meta-analysis')
    """
    noun, tail = re.match(r"(.*?)( (?:with|of) .*)?$", label).groups(default="")  # type: ignore[union-attr]
    if count != 1 and not noun.endswith("series"):
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun}{tail}"


def _certainty(certainty: Certainty, letters: Letters) -> tuple[Line, ...]:
    """Return circles, word and letters, and below that nobody reviewed it."""
    if certainty.level is None:
        return ((Part("Not yet judged"),),)
    why = f"Not graded: {certainty.why or 'the record does not say why'}."
    reasons = [why] if certainty.level == "not-graded" else reasons_of(certainty)
    symbol = ((Part(certainty.symbol, "symbol"),),) if certainty.symbol else ()
    word = (Part(LEVELS[certainty.level], "strong"), letters.mark(reasons))
    reviewed = () if certainty.status == "reviewed" else _muted(certainty.standing)
    return (*symbol, word, *reviewed)


def reasons_of(certainty: Certainty) -> list[str]:
    """Return why the certainty is not high, a sentence for each step."""
    begin = certainty.start
    said = [f"Starts {begin.replace('-', ' ')}: {certainty.start_why}."] if begin and begin != "high" else []
    return [*said, *(reason(domain) for domain in certainty.domains if domain.steps)]


def reason(domain: Domain) -> str:
    """Return why a domain lowers or raises."""
    steps = _STEPS[min(domain.steps or 0, 3)]
    why = f": {domain.why}" if domain.why else ", and not why"
    return f"{domain.label}, {steps} {domain.kind}{why}."


def _muted(text: str | None, lead: str = "") -> tuple[Line, ...]:
    return ((Part(f"{lead}{text}", "muted"),),) if text else ()


# The evidence profile ---------------------------------------------------------------------------


def _profile_row(finding: Finding, letters: Letters, apart: bool) -> tuple[Cell, ...]:
    certainty = finding.certainty
    domains = (_domain(certainty, name, letters) for name in PROFILED)
    effect: tuple[Cell, ...] = tuple(
        cell(*_over_two(effect_said(finding) or "–")) for effect_said in (relative, absolute)
    )
    if finding.not_pooled is not None:
        effect = (cell("Not pooled", columns=2),)
    designs = "; ".join(finding.designs)
    return (
        cell(*_outcome(finding, apart)), cell(str(certainty.seen.k)), cell(designs), *domains,
        _other(certainty, letters), cell(arm_said(finding.treated)),
        cell(arm_said(finding.compared) if finding.comparison.comparator else "–"), *effect,
        cell(*_certainty(certainty, letters)), cell(finding.importance or "–"),
    )  # fmt: skip


PROFILED: tuple[str, ...] = ("risk_of_bias", "inconsistency", "indirectness", "imprecision")


def domain_word(certainty: Certainty, name: str) -> str:
    """Return how serious a domain is, in the words of GRADE."""
    if certainty.level in (None, "not-graded"):
        return "not judged" if certainty.level is None else "not graded"
    steps = certainty.domain(name).steps
    return "not judged" if steps is None else _DOWN[steps]


def other_words(certainty: Certainty) -> str:
    """Return the remaining considerations in a phrase; "none" where there are none."""
    if certainty.level in (None, "not-graded"):
        return domain_word(certainty, "publication_bias")
    steps = {name: certainty.domain(name).steps or 0 for name in _OTHER}
    return "; ".join(_OTHER[name][min(count, 2)] for name, count in steps.items() if count) or "none"


def _domain(certainty: Certainty, name: str, letters: Letters) -> Cell:
    domain = certainty.domain(name)
    marks = (letters.mark([reason(domain)]),) if domain.steps else ()
    return cell((Part(domain_word(certainty, name)), *marks))


def _other(certainty: Certainty, letters: Letters) -> Cell:
    why = [reason(domain) for name in _OTHER if (domain := certainty.domain(name)).steps]
    return cell((Part(other_words(certainty)), *([letters.mark(why)] if why else [])))


def arm_said(arm: Arm) -> str:
    r"""Return the persons of a side, with events where they are counted.

    >>> arm_said(Arm(86, 54)), arm_said(Arm(86, None)), arm_said(Arm(None, None))
    ('54/86 (62.8\xa0%)', '86', 'not known')
    """
    if arm.persons is None:
        return "not known"
    if arm.events is None or not arm.persons:
        return f"{arm.persons:,}"
    return f"{arm.events}/{arm.persons} ({100 * arm.events / arm.persons:.1f}\u00a0%)"


def abbreviations(found: Sequence[Finding]) -> str:
    """Return the abbreviations that stand in the tables, in words."""
    used = sorted(
        {finding.certainty.seen.measure for finding in found if finding.certainty.seen.measure} - set(_RISKS)
    )
    named = ("CI: confidence interval", *(f"{name}: {MEASURES[name].label}" for name in used))
    return "; ".join([*named, *(["SD: standard deviation"] if "SMD" in used else [])])
