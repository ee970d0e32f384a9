"""A topic as a document tells of it: its records in their order, pooled, and its numbered references."""

from typing import NamedTuple

from mesoevidence.bodies import label_of
from mesoevidence.evidence import Evidence
from mesoevidence.findings import Finding
from mesoevidence.layouts import Letters
from mesoevidence.ledger import Ledger
from mesoevidence.model import Claim, Study, Synthesis
from mesoevidence.pooled import Pooled
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.summaries import SummaryOfFindings, summary_of_findings


class Subject(NamedTuple):
    """What sections are written from: the ledger, the part of it on one topic, and what they share.

    Attributes
    ----------
    evidence, part : Evidence
        The whole, and what has to do with the topic.
    found : SummaryOfFindings or None
        None where there is no synthesis.
    pooled : dict of str to Pooled or EvidenceError
        Each synthesis pooled, or why it is not.
    letters : Letters
        The lettered explanations.
    numbers : dict of str to int
        Of the references that were mentioned.
    """

    evidence: Evidence
    part: Evidence
    found: SummaryOfFindings | None
    pooled: dict[str, Pooled | EvidenceError]
    letters: Letters
    numbers: dict[str, int]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the syntheses found, as a summary of findings orders them."""
        return self.found.findings if self.found else ()

    @property
    def ledger(self) -> Ledger:
        """The records and references, those on other topics too."""
        return self.evidence.ledger

    def cite(self, *keys: str) -> str:
        """Return the numbers of references in brackets, each given at its first mention."""
        numbers = [str(self.numbers.setdefault(key, len(self.numbers) + 1)) for key in keys]
        return f" [{', '.join(numbers)}]" if numbers else ""

    def name(self, study: str) -> str:
        """Return a study as the charts name it, with its reports, and what else its numbers were read in."""
        if study not in self.ledger.studies:
            return f"{study} (no such record)"
        record = self.ledger.studies[study]
        taken = {line.result for found in self.part.syntheses.values() for line in found.include}
        places = [result.provenance.ref for result in record.results if result.id in taken]
        apart = dict.fromkeys(place for place in places if place not in record.reports)
        name = f"{label_of(self.ledger, study)}{self.cite(*record.reports)}"
        return f"{name}, read in{self.cite(*apart)}" if apart else name

    def syntheses(self) -> list[Synthesis]:
        """Return the syntheses as a summary of findings orders them."""
        return [self.part.syntheses[found.certainty.synthesis] for found in self.findings]

    def claims(self) -> list[Claim]:
        """Return the claims that assert something of the topic; statements of background do not."""
        return [claim for claim in self.part.claims.values() if claim.kind != "background"]

    def included(self) -> list[Study]:
        """Return the studies of the syntheses, each once."""
        named = (line.study for synthesis in self.syntheses() for line in synthesis.include)
        return [self.ledger.studies[name] for name in dict.fromkeys(named) if name in self.ledger.studies]


def subject(evidence: Evidence, topic: str) -> Subject:
    """Return a topic with what its documents share."""
    part = evidence.select(topic=topic)
    found = summary_of_findings(evidence, topic=topic) if part.syntheses else None
    return Subject(
        evidence, part, found, {key: _pooled(evidence, key) for key in part.syntheses}, Letters(), {}
    )


def _pooled(evidence: Evidence, synthesis: str) -> Pooled | EvidenceError:
    """Return a question pooled, or why it is not."""
    try:
        return pool(evidence, synthesis)
    except EvidenceError as error:
        return error
