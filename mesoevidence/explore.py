"""A window on the evidence in Jupyter: claims by topic, design and verdict, each with its charts."""

from collections.abc import Iterable, Iterator

from ipywidgets import HTML, Dropdown, HBox, Layout, Select, VBox

from mesoevidence import cards, console, escape, files
from mesoevidence.bodies import label_of
from mesoevidence.charts.chart import Chart
from mesoevidence.charts.directions import effect_direction
from mesoevidence.charts.forest import forest
from mesoevidence.charts.risk_of_bias import traffic_light
from mesoevidence.conclusions import conclude
from mesoevidence.evidence import Evidence
from mesoevidence.model import Claim
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.vocabulary import DESIGNS


def explore(evidence: Evidence) -> VBox:
    """Return widgets that filter the claims and show the chosen one: its card, its verdict, its charts.

    Parameters
    ----------
    evidence : Evidence
        Whole, or a part of it.

    Returns
    -------
    VBox
        Of ipywidgets; Jupyter shows it. From top to bottom: notice, filters, claims, card, charts.

    Examples
    --------
    >>> import mesoevidence as me
    >>> window = explore(me.load())
    >>> [box.description for box in window.children[1].children]
    ['Topic', 'Design', 'Verdict']
    """
    used = {study.design for study in evidence.studies.values()}
    filters = [
        _choice("Topic", [(topic.label, topic.id) for topic in evidence.topics.values()]),
        _choice("Design", sorted((DESIGNS[design].label, design) for design in used)),
        _choice("Verdict", [(word.replace("-", " "), word) for word in evidence.verdicts()]),
    ]
    found, card, charts = HTML(), HTML(), HTML()
    claims = Select(rows=8, layout=Layout(width="100%"), description="Claim")

    def narrow(_: object = None) -> None:
        kept = list(matching(evidence, *(box.value for box in filters)))
        found.value = console.plural(len(kept), "claim")
        claims.options = [(claim.claim, claim.id) for claim in kept]
        claims.value = kept[0].id if kept else None

    def show(_: object = None) -> None:
        if claims.value is None:
            card.value = charts.value = ""
            return
        claim = evidence.claims[claims.value]
        rule = {"by the rule": {"why": list(conclude(evidence, claim).reasons)}}
        card.value = cards.html(claim.title_line(), {**claim.shown(), **rule})
        charts.value = "".join(chart.to_html() for chart in charts_of(evidence, claim))

    for box in filters:
        box.observe(narrow, "value")
    claims.observe(show, "value")
    narrow()
    notice = HTML(f"<p><em>{escape.html(files.notice(evidence.ledger.root))}</em></p>")
    return VBox([notice, HBox(filters, layout=Layout(flex_flow="row wrap")), found, claims, card, charts])


def _choice(name: str, options: Iterable[tuple[str, str]]) -> Dropdown:
    return Dropdown(options=[("All", ""), *options], description=name)


def matching(evidence: Evidence, topic: str, design: str, verdict: str) -> Iterator[Claim]:
    """Yield the claims that meet every filter; an empty word is no filter."""
    part = evidence.select(topic=topic or None, design=design or None)
    for claim in part.claims.values():
        word = claim.verdict.judgement if claim.verdict else "no verdict yet"
        if verdict in ("", word):
            yield claim


def charts_of(evidence: Evidence, claim: Claim) -> Iterator[Chart]:
    """Yield the charts of what a claim rests on: forests or directions, and the risk of bias."""
    studies = {line.study for line in claim.evidence}
    for line in claim.evidence:
        synthesis = evidence.syntheses.get(line.synthesis or "")
        if synthesis is None:
            continue
        studies |= {item.study for item in synthesis.include}
        try:
            if synthesis.analysis:
                yield forest(pool(evidence, synthesis.id), width="double")
            else:
                yield effect_direction(evidence, synthesis.id, width="double")
        except EvidenceError:
            continue  # nothing to draw: the card says why it was not pooled
    bias = evidence.table("risk_of_bias")
    own = bias[bias["study"].isin(studies)]
    own = own.assign(study=[label_of(evidence.ledger, study) for study in own["study"]])
    for tool in dict.fromkeys(own["tool"]):
        yield traffic_light(own[own["tool"] == tool], width="double")
