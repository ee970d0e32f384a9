"""The schema: frozen, typed models of topics, claims, studies and syntheses."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from pydantic import Field

from mesoevidence import vocabulary as words
from mesoevidence.blocks import NOTHING, Entry, Judgement, Model, Pico, Place, Provenance, Search
from mesoevidence.fields import (
    Arms,
    AtLeastZero,
    BibKey,
    Count,
    Day,
    KeyTable,
    Number,
    Share,
    Slug,
    Slugs,
    Some,
    Steps,
    Table,
    Text,
    Truth,
)


class Labelled(Model):
    """A population or an intervention."""

    label: Text
    detail: Text | None = None


class Mid(Model):
    """A minimally important difference, and where it was read."""

    value: AtLeastZero
    provenance: Place = Field(alias="from")


class Outcome(Model):
    """What is measured, on which scale, and which way is better."""

    label: Text
    type: words.OutcomeType
    unit: Text | None = None
    better: words.Better | None = None
    importance: words.Importance
    step: AtLeastZero | None = None
    mid: Mid | None = None
    detail: Text | None = None


class Interest(Model):
    """A commercial interest of a source, and where it shows."""

    what: Text
    at: Text


class Source(Model):
    """What is to be known of a popular source."""

    interest: Interest | None = None


class Topic(Entry):
    """A subject, with the populations, interventions and outcomes its records name."""

    label: Text
    populations: Table[Labelled] = NOTHING
    interventions: Table[Labelled] = NOTHING
    outcomes: Table[Outcome] = NOTHING
    sources: KeyTable[Source] = NOTHING


class Candidate(Model):
    """A document that a vague citation may mean."""

    ref: BibKey | None = None
    label: Text | None = None
    match: words.Match
    matches: Text | None = None
    differs: Text | None = None


class FidelityJudgement(Judgement):
    """Whether the cited document says what it is cited for."""

    judgement: words.Fidelity


class Citation(Model):
    """What a source cites for a claim, and whether it exists; `specificity: none` alone: it cites nothing."""

    described: Text | None = Field(alias="as", default=None)
    specificity: words.Specificity
    resolution: words.Resolution | None = None
    ref: BibKey | None = None
    candidates: Some[Candidate] = ()
    search: Some[Search] = ()
    fidelity: FidelityJudgement | None = None


class Appearance(Model):
    """One place where a source makes the claim."""

    source: BibKey
    at: Text
    wording: words.Wording | None = None
    size: words.Size | None = None
    words: Text | None = None
    citations: Some[Citation] = ()

    @property
    def cited(self) -> tuple[Citation, ...]:
        """What the source does cite; empty where it cites nothing, and where nobody looked."""
        return tuple(citation for citation in self.citations if citation.specificity != "none")


class EvidenceLine(Model):
    """One study or synthesis that bears on a claim."""

    synthesis: Slug | None = None
    study: Slug | None = None
    direction: words.LineDirection
    directness: words.Directness
    gap: Some[words.Gap] = ()
    role: words.Role = "result"
    why: Text | None = None


class VerdictJudgement(Judgement):
    """What may be said of a claim."""

    judgement: words.VerdictWord


class Claim(Entry):
    """A statement somebody makes, in our words, with where it stands and what the evidence is."""

    claim: Text
    kind: words.ClaimKind
    asserts: words.Asserts | None = None
    pico: Pico | None = None
    topics: Some[Slug] = ()
    appearances: Some[Appearance] = ()
    evidence: Some[EvidenceLine] = ()
    search: Some[Search] = ()
    verdict: VerdictJudgement | None = None


class Arm(Model):
    """A group, or a side of each person, and how many were allocated to it."""

    intervention: Slug
    n: Count | None = None
    detail: Text | None = None


class Values(Model):
    """What was found in one arm; `n` is the number analysed."""

    events: Count | None = None
    n: Count | None = None
    mean: Number | None = None
    sd: AtLeastZero | None = None
    se: AtLeastZero | None = None
    median: Number | None = None
    q1: Number | None = None
    q3: Number | None = None
    min: Number | None = None
    max: Number | None = None
    count: Count | None = None
    person_time: AtLeastZero | None = None
    proportion: Share | None = None


class PValue(Model):
    """A p-value as printed."""

    operator: words.Operator
    value: Share
    test: Text | None = None


class Effect(Model):
    """A contrast that the source printed."""

    measure: words.EffectMeasure
    estimate: Number
    ci: tuple[Number, Number] | None = None
    level: Share | None = None
    se: AtLeastZero | None = None
    p: PValue | None = None
    adjusted: Truth | None = None


class Paired(Model):
    """A within-person difference."""

    mean_difference: Number
    se: AtLeastZero | None = None
    sd: AtLeastZero | None = None
    correlation: Number | None = None
    n: Count | None = None


class Result(Model):
    """One finding of a study, and the place it was read."""

    id: Slug
    outcome: Slug
    time: Text | None = None
    analysed: words.Analysed | None = None
    values: Table[Values] = NOTHING
    effect: Effect | None = None
    paired: Paired | None = None
    direction: words.ResultDirection | None = None
    p: PValue | None = None
    provenance: Provenance = Field(alias="from")
    note: Text | None = None


class DomainJudgement(Model):
    """One domain of a risk-of-bias tool."""

    judgement: Text
    why: Text


class RiskOfBias(Model):
    """A study, or one of its results, judged with a risk-of-bias tool."""

    tool: words.RobTool
    result: Slug | None = None
    domains: Table[DomainJudgement]
    overall: Judgement


class Flag(Model):
    """A doubt every reader must see; with the code of a finding it acknowledges that finding."""

    code: Text
    what: Text
    why: Text | None = None


class Study(Entry):
    """What was done and found, number by number, each with the place it was read."""

    reports: tuple[BibKey, ...] = ()
    registration: Text | None = None
    title: Text | None = None
    design: words.Design
    read: words.Read
    population: Slugs | None = None
    topics: Some[Slug] = ()
    funding: words.Funding | None = None
    interests: Text | None = None
    arms: Table[Arm] = NOTHING
    regimen: Text | None = None
    follow_up: Text | None = None
    results: Some[Result] = ()
    includes: Some[Slug] = ()
    rob: Some[RiskOfBias] = ()
    flags: Some[Flag] = ()
    not_seen: Some[Text] = ()


class Include(Model):
    """A study's result in a synthesis, with the arms of each side; `none` is an empty tuple."""

    study: Slug
    result: Slug
    intervention: Slugs = ()
    comparator: Arms = ()


class Analysis(Model):
    """How a synthesis is computed, in the words of `pool`, fixed before computing."""

    measure: words.Measure
    method: words.PoolMethod
    test: words.PoolTest | None = None
    fixed_on: Day


class Narrative(Model):
    """Why nothing was pooled, and how the studies are put together instead."""

    why: Text
    by: Text


class Baseline(Model):
    """The risk without the intervention."""

    risk: Share
    provenance: Place = Field(alias="from")


class Start(Model):
    """Where the certainty begins."""

    level: words.CertaintyLevel
    why: Text


class Range(Model):
    """A range of effects that count as trivial."""

    range: tuple[Number, Number]


class Down(Model):
    """How many levels a domain takes away."""

    down: Steps
    why: Text | None = None


class Up(Model):
    """How many levels a domain adds."""

    up: Steps
    why: Text | None = None


class CertaintyJudgement(Judgement):
    """How sure we may be of one body of evidence."""

    judgement: words.CertaintyLevel


class CertaintyRecord(Model):
    """Certainty by its parts (GRADE), or why there is none."""

    system: words.CertaintySystem
    why: Text | None = None
    start: Start | None = None
    threshold: Literal["no-effect", "mid"] | Range | None = None
    risk_of_bias: Down | None = None
    inconsistency: Down | None = None
    indirectness: Down | None = None
    imprecision: Down | None = None
    publication_bias: Down | None = None
    large_effect: Up | None = None
    dose_response: Up | None = None
    opposing_confounding: Up | None = None
    overall: CertaintyJudgement | None = None
    basis: Text | None = None


class Synthesis(Entry):
    """The studies of one comparison and outcome, put together."""

    label: Text | None = None
    pico: Pico
    include: Some[Include] = ()
    exclude: Table[Text] = NOTHING
    analysis: Analysis | None = None
    narrative: Narrative | None = None
    baseline: Baseline | None = None
    certainty: CertaintyRecord | None = None


Kind: TypeAlias = type[Topic] | type[Claim] | type[Study] | type[Synthesis]
AnyEntry: TypeAlias = Topic | Claim | Study | Synthesis
KINDS: Mapping[str, Kind] = MappingProxyType(
    {"topics": Topic, "claims": Claim, "studies": Study, "syntheses": Synthesis}
)
