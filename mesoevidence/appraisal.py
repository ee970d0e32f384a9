"""Risk of bias: each tool as a table, the overall judgement its domains give, what results were judged."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mesoevidence.ledger import Ledger
from mesoevidence.model import RiskOfBias, Study
from mesoevidence.problems import Found, Path, one_of
from mesoevidence.vocabulary import DESIGNS

NOT_ASSESSED = "not-assessed"
Risk = Literal["low", "some", "high", "not-assessed", "not-judged"]
_SEVERAL = 3  # domains with concerns from which "some concerns" overall asks for a second look


@dataclass(frozen=True, slots=True)
class Tool:
    """A risk-of-bias tool: its domains and levels in our own words, never its question texts.

    Attributes
    ----------
    label, version, source : str
        Its name, the version the table follows, and where that is published.
    domains : Mapping of slug to label
        In order; empty where the domains are the reviewer's own.
    levels : tuple of str
        What a domain may be judged, from best to worst.
    overall : tuple of str
        What a result may be judged, from best to worst.
    poor : int
        From which place in `overall` on a level means a high risk; "not-assessed" ranks just before it.
    rule : callable or None
        From the judged domains to the overall judgement; None where the tool states no rule.
    """

    label: str
    version: str
    source: str
    domains: Mapping[str, str]
    levels: tuple[str, ...]
    overall: tuple[str, ...]
    poor: int
    rule: "Callable[[Tool, Mapping[str, str]], str] | None"

    def ranks(self) -> tuple[str, ...]:
        """Return the overall levels from best to worst, with "not-assessed" in its place."""
        return (*self.overall[: self.poor], NOT_ASSESSED, *self.overall[self.poor :])


def _worst(tool: Tool, domains: Mapping[str, str]) -> str:
    """Return the worst domain; what was not judged hides nothing worse, and is not low."""
    levels = (NOT_ASSESSED if level == "no-information" else level for level in domains.values())
    return max(levels, key=tool.ranks().index)


def _amstar2(tool: Tool, domains: Mapping[str, str]) -> str:
    """Return confidence by AMSTAR 2 (Shea 2017, doi:10.1136/bmj.j4008): critical flaws first, then others."""
    flaws = Counter(_AMSTAR2[name].endswith("(critical)") for name, level in domains.items() if level == "no")
    if flaws[True] > 1:
        return "critically-low"
    if flaws[True]:
        return "low"
    if NOT_ASSESSED in domains.values():
        return NOT_ASSESSED
    return "moderate" if flaws[False] > 1 else "high"


def overall(tool: str, domains: Mapping[str, str]) -> str | None:
    """Return what the judged domains give; None where the tool states no rule, or a word is not the tool's.

    Parameters
    ----------
    tool : str
        A name in `TOOLS`.
    domains : Mapping of domain to judgement
        One judgement a domain, "not-assessed" among them.

    Examples
    --------
    >>> overall("rob2", {"randomisation": "low", "deviations": "some-concerns"})
    'some-concerns'
    >>> overall("rob2", {"randomisation": "not-assessed", "deviations": "some-concerns"})
    'not-assessed'
    """
    table = TOOLS[tool]
    known = (*table.levels, NOT_ASSESSED)
    if table.rule is None or not domains or any(level not in known for level in domains.values()):
        return None
    return table.rule(table, domains)


def appraised(study: Study, result: str) -> RiskOfBias | None:
    """Return the appraisal of one result of a study: its own, else that of the whole study, else None."""
    own = [rob for rob in study.rob if rob.result == result]
    return next(iter(own or [rob for rob in study.rob if rob.result is None]), None)


def risk(rob: RiskOfBias | None) -> Risk:
    """Return how an appraisal counts towards certainty; "not-judged" where there is none."""
    if rob is None:
        return "not-judged"
    table = TOOLS[rob.tool]
    if rob.overall.judgement not in table.overall:
        return "not-assessed"
    place = table.overall.index(rob.overall.judgement)
    if place >= table.poor:
        return "high"
    return "low" if table.overall[place].startswith(("low", "high")) else "some"


def risk_follows_its_domains(study: Study, ledger: Ledger) -> Iterator[Found]:
    """An overall judgement is never better than its domains give; the words are those of the tool."""
    judged_with = [(rob.tool, rob.result) for rob in study.rob]
    for at, rob in enumerate(study.rob):
        tool, path = TOOLS[rob.tool], ("rob", at, "overall", "judgement")
        if judged_with[at] in judged_with[:at]:
            message = f"`{rob.result or 'the whole study'}` is judged twice with {tool.label}"
            yield Found("E404", ("rob", at, "tool"), message, "keep one appraisal")
        faults = list(_foreign(rob, at))
        yield from faults
        judged = {name: part.judgement for name, part in rob.domains.items()}
        given, ranks, recorded = overall(rob.tool, judged), tool.ranks(), rob.overall.judgement
        if faults or given is None or recorded not in ranks:
            continue
        if ranks.index(recorded) < ranks.index(given):
            worst = ", ".join(f"{name} {level}" for name, level in judged.items() if level not in ranks[:1])
            message = f"`{recorded}`, where the domains give `{given}` ({worst})"
            yield Found("E401", path, message, f"write `{given}` or worse, or judge the domains again")
        concerns = [name for name, level in judged.items() if level == "some-concerns"]
        if recorded == "some-concerns" and len(concerns) >= _SEVERAL:
            message = f"some concerns in {len(concerns)} domains ({', '.join(concerns)}), and no more overall"
            hint = "high, if together they lower confidence substantially"
            yield Found("W604", path, message, hint)


def _foreign(rob: RiskOfBias, at: int) -> Iterator[Found]:
    """Yield a problem for each domain or level that the tool does not have, and for each it has and lacks."""
    here, tool, levels = ("rob", at, "domains"), TOOLS[rob.tool], (*TOOLS[rob.tool].levels, NOT_ASSESSED)
    words: list[tuple[Path, str, tuple[str, ...]]] = [
        ((*here, name, "judgement"), part.judgement, levels) for name, part in rob.domains.items()
    ]
    words.append((("rob", at, "overall", "judgement"), rob.overall.judgement, tool.ranks()))
    for path, word, known in words:
        if word not in known:
            message = f"`{word}` is no level of {tool.label}"
            yield Found("E402", path, message, f"one of {', '.join(known)}")
    if not tool.domains:
        return
    for name in rob.domains:
        if name not in tool.domains:
            message = f"{tool.label} has no domain `{name}`"
            yield Found("E402", (*here, name), message, one_of(name, tool.domains), key=True)
    if missing := [name for name in tool.domains if name not in rob.domains]:
        hint = "add it; where it cannot be judged from what was read: {judgement: not-assessed, why: ...}"
        yield Found("E403", here, f"{tool.label} has the domain `{missing[0]}` too", hint, key=True)


def availability(ledger: Ledger) -> Iterator[tuple[str, str, str, str, str | None]]:
    """Yield for each synthesis the studies that compared its arms, and whether their result is in it.

    The matrix of ROB-ME (BMJ 2023;383:e076754): a study that compared the arms and shows no
    result for the outcome may have left it out because of what it was. Synthesis, study, design, availability
    (included, excluded, left-out, not-seen), and why it is excluded. What compared nobody itself, such as a
    review or a guideline, left nothing out.
    """
    for synthesis in ledger.syntheses.values():
        included, pico = {line.study for line in synthesis.include}, synthesis.pico
        for study in ledger.studies.values():
            reason = synthesis.exclude.get(study.id)
            compared = {arm.intervention for arm in study.arms.values()}
            sides = (pico.intervention or (), pico.comparator or ())
            people, asked = set(study.population or ()), set(pico.population or ())
            same = not people or not asked or people & asked
            alike = same and all(side and (compared & set(side) or side == ("none",)) for side in sides)
            if study.id in included:
                yield synthesis.id, study.id, study.design, "included", None
            elif reason is not None:
                yield synthesis.id, study.id, study.design, "excluded", reason
            elif alike and DESIGNS[study.design].start:
                seen = any(result.outcome == pico.outcome for result in study.results)
                yield synthesis.id, study.id, study.design, "left-out" if seen else "not-seen", None


_ROB2 = {
    "randomisation": "Randomisation process",
    "deviations": "Deviations from the intended interventions",
    "missing-data": "Missing outcome data",
    "measurement": "Measurement of the outcome",
    "reporting": "Selection of the reported result",
}
_CLUSTER = {"recruitment": "Identification and recruitment of participants"}
_CROSSOVER = {"carryover": "Period and carry-over effects"}
_ROB1 = {
    "sequence": "Sequence generation", "concealment": "Allocation concealment",
    "blinding": "Blinding of participants and personnel", "assessment": "Blinding of outcome assessment",
    "attrition": "Incomplete outcome data", "reporting": "Selective reporting", "other": "Other bias",
}  # fmt: skip
_ROBINS = {
    "confounding": "Confounding", "selection": "Selection of participants",
    "classification": "Classification of interventions",
    "deviations": "Deviations from the intended interventions", "missing-data": "Missing data",
    "measurement": "Measurement of outcomes", "reporting": "Selection of the reported result",
}  # fmt: skip
_ROBINS2 = ("confounding", "classification", "selection", "missing-data", "measurement", "reporting")
_AMSTAR2 = {
    "question": "Question with its components", "protocol": "Protocol before the review (critical)",
    "designs": "Choice of study designs explained", "search": "Comprehensive search (critical)",
    "selection-in-duplicate": "Selection in duplicate", "extraction-in-duplicate": "Extraction in duplicate",
    "exclusions": "Excluded studies listed with reasons (critical)",
    "description": "Included studies described", "risk-of-bias": "Risk of bias assessed (critical)",
    "funding-of-studies": "Funding of the studies",
    "synthesis-methods": "Methods of meta-analysis (critical)",
    "bias-in-synthesis": "Risk of bias weighed in the synthesis",
    "bias-in-discussion": "Risk of bias weighed in the conclusions (critical)",
    "heterogeneity": "Heterogeneity explained", "publication-bias": "Publication bias examined (critical)",
    "interests": "Interests of the authors",
}  # fmt: skip
_THREE, _UNCLEAR = ("low", "some-concerns", "high"), ("low", "unclear", "high")
_ANSWERS, _ITEMS = ("yes", "partial-yes", "no", "not-applicable"), ("yes", "unclear", "no", "not-applicable")
_FOUR = ("low", "moderate", "serious", "critical")
_FIVE = ("low", "low-except-confounding", *_FOUR[1:])
_CONFIDENCE = ("high", "moderate", "low", "critically-low")
_SOURCE = "Sterne 2019, doi:10.1136/bmj.l4898"
_VARIANT = "riskofbias.info; Cochrane Handbook 6, chapter 23"


def _with(more: Mapping[str, str]) -> dict[str, str]:
    """Return the domains of RoB 2 with those of a variant behind the first."""
    first, *rest = _ROB2.items()
    return dict([first, *more.items(), *rest])


_TOOLS = {
    "rob2": ("RoB 2", "22 August 2019", _SOURCE, _ROB2, _THREE, _THREE, 2, _worst),
    "rob2-cluster": (
        "RoB 2 for cluster trials", "18 March 2021", _VARIANT, _with(_CLUSTER), _THREE, _THREE, 2, _worst,
    ),
    "rob2-crossover": (
        "RoB 2 for crossover trials", "test version", _VARIANT, _with(_CROSSOVER), _THREE, _THREE,
        2, _worst,
    ),
    "rob1": ("RoB 1", "2011", "Higgins 2011, doi:10.1136/bmj.d5928", _ROB1, _UNCLEAR, _UNCLEAR, 2, _worst),
    "robins-i-v1": (
        "ROBINS-I", "2016", "Sterne 2016, doi:10.1136/bmj.i4919", _ROBINS, (*_FOUR, "no-information"), _FOUR,
        2, _worst,
    ),
    "robins-i-v2": (
        "ROBINS-I V2", "20 November 2025", "riskofbias.info", {name: _ROBINS[name] for name in _ROBINS2},
        _FIVE, _FIVE, 3, _worst,
    ),
    "amstar2": (
        "AMSTAR 2", "2017", "Shea 2017, doi:10.1136/bmj.j4008", _AMSTAR2, _ANSWERS, _CONFIDENCE,
        2, _amstar2,
    ),
    "jbi": (
        "JBI checklist", "", "jbi.global/critical-appraisal-tools", {}, _ITEMS, ("low", "moderate", "high"),
        2, None,
    ),
    "custom": ("own tool", "", "the record's own words", {}, _THREE, _THREE, 2, _worst),
}  # fmt: skip
TOOLS: Mapping[str, Tool] = MappingProxyType({name: Tool(*facts) for name, facts in _TOOLS.items()})
