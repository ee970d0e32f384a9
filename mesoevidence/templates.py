"""The commented template of a new record, and the JSON Schema that editors check it against."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from mesoevidence import __version__
from mesoevidence.fields import ID, RESERVED
from mesoevidence.model import KINDS
from mesoevidence.problems import EvidenceError, short

FOLDER_OF: Mapping[str, str] = MappingProxyType(
    {"claim": "claims", "study": "studies", "synthesis": "syntheses", "topic": "topics"}
)


def path_of(root: Path, kind: str, identifier: str) -> Path:
    """Return where a record of that kind and id stands.

    Raises
    ------
    EvidenceError
        When the id is out of pattern.
    """
    if not ID.fullmatch(identifier) or len(identifier) > 64 or identifier in RESERVED:
        raise EvidenceError(
            f"the id {short(identifier)!r} is out of pattern: lower-case words joined by hyphens, "
            "at most 64 signs, and no name that a system reserves"
        )
    return root / "evidence" / FOLDER_OF[kind] / f"{identifier}.yaml"


def template(kind: str, identifier: str) -> str:
    """Return the commented template of one kind of record."""
    first = f"# yaml-language-server: $schema=../schema/{kind}.json\n"
    return first + _TEMPLATES[kind].replace("id: ID", f"id: {identifier}", 1)


class _WithoutNull(GenerateJsonSchema):
    """Records know no null and no default: what is absent is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def schema(kind: str) -> str:
    """Return the JSON Schema (draft 2020-12) of one kind of record, as text."""
    content = KINDS[FOLDER_OF[kind]].model_json_schema(by_alias=True, schema_generator=_WithoutNull)
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"mesoevidence {kind}",
        "$comment": f"written by `mesoevidence schema {kind}`, version {__version__}",
        **{name: value for name, value in content.items() if name != "title"},
    }
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


_CLAIM = """\
id: ID
status: draft
by: mesoevidence  # who wrote the record; `reviewed_by` is somebody else
claim: "..."  # the statement, atomic, in your own words
kind: benefit  # benefit harm regimen mechanism prevalence history evidence-state background
asserts: increase  # increase decrease no-difference frequency fact (none for background)
pico: {population: SLUG, intervention: SLUG, comparator: SLUG, outcome: SLUG}  # slugs of a topic
appearances:
  - source: BIBKEY  # a key of references.bib
    at: "section 1, sentence 1"
    wording: probable  # certain probable possible
    size: not-stated  # large some small none not-stated
    words: "at most eight words of the source"
    # citations:  # [{specificity: none}] when the source cites nothing
    #   - as: "what is cited, in your own words"
    #     specificity: vague  # full partial vague
    #     resolution: unresolved  # resolved ambiguous unresolved nonexistent pending
    #     search: [{where: PubMed, query: "...", on: 2026-01-31, hits: 0}]
# evidence:
#   - {study: STUDY-ID, direction: supports, directness: direct}  # or synthesis: SYNTHESIS-ID
# search: [{where: PubMed, query: "...", on: 2026-01-31, hits: 0}]  # when no evidence was found
# verdict: {judgement: insufficient, why: "...", by: mesoevidence, on: 2026-01-31}
"""

_STUDY = """\
id: ID
status: draft
by: mesoevidence
reports: [BIBKEY]  # keys of references.bib, the primary one first
design: rct  # `mesoevidence schema study` lists all designs
read: abstract  # the most that was read: full-text excerpt abstract registry secondary
population: [SLUG]
funding: not-reported  # industry public mixed none not-reported
arms:
  active: {intervention: SLUG, n: 20}  # n allocated; leave it out when it was not seen
  control: {intervention: SLUG, n: 20}
regimen: "..."
follow_up: "week 12"
results:
  - id: primary
    outcome: SLUG
    time: week 12
    analysed: unclear  # itt per-protocol completers unclear
    values:
      active: {events: 12, n: 20}  # or mean, sd, se, median, q1, q3, min, max, count, person_time, proportion
      control: {events: 5, n: 20}
    from: {ref: BIBKEY, at: "table 2", method: reported, figures: "12/20 v 5/20"}
# flags: [{code: W329, what: "...", why: "..."}]  # a doubt every reader must see
# not_seen: [volume, pages]
"""

_SYNTHESIS = """\
id: ID
status: draft
by: mesoevidence
pico: {population: [SLUG], intervention: [SLUG], comparator: SLUG, outcome: SLUG}
include:
  - {study: STUDY-ID, result: primary, intervention: [active], comparator: [control]}
# exclude: {STUDY-ID: "why"}
analysis: {measure: RR, method: REML, test: knha, fixed_on: 2026-01-31}  # fixed before it is computed
# narrative: {why: "why nothing was pooled", by: direction}  # instead of analysis
# baseline: {risk: 0.2, from: {ref: BIBKEY, at: "table 1"}}
"""

_TOPIC = """\
id: ID
status: draft
by: mesoevidence
label: "..."
populations:
  adults-example: {label: Adults with the condition}
interventions:
  treatment-example: {label: The treatment}
outcomes:
  # type: continuous dichotomous time-to-event count ordinal proportion
  # importance: critical important limited
  outcome-example: {label: What is measured, type: dichotomous, better: higher, importance: critical}
"""

_TEMPLATES: Mapping[str, str] = MappingProxyType(
    {"claim": _CLAIM, "study": _STUDY, "synthesis": _SYNTHESIS, "topic": _TOPIC}
)
