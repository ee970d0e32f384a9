"""Record study claims with their evidence as plain text, check them, pool them, judge them and draw them.

>>> import mesoevidence as me
>>> evidence = me.load()
>>> evidence.table("claims").columns[0]
'id'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesoevidence import conversions as conversions
    from mesoevidence.asymmetry import (
        rank_test as rank_test,
        regression_test as regression_test,
        trim_and_fill as trim_and_fill,
    )
    from mesoevidence.audits import Audit as Audit, audit as audit
    from mesoevidence.certainty import Certainty as Certainty, rate as rate
    from mesoevidence.charts.directions import effect_direction as effect_direction, harvest as harvest
    from mesoevidence.charts.evidence_map import evidence_map as evidence_map
    from mesoevidence.charts.forest import forest as forest
    from mesoevidence.charts.funnel import funnel as funnel
    from mesoevidence.charts.influence import baujat as baujat, labbe as labbe
    from mesoevidence.charts.overclaim import overclaim as overclaim
    from mesoevidence.charts.prisma import prisma as prisma
    from mesoevidence.charts.risk_of_bias import bias_bars as bias_bars, traffic_light as traffic_light
    from mesoevidence.charts.timeline import timeline as timeline
    from mesoevidence.charts.verdicts import verdict_matrix as verdict_matrix
    from mesoevidence.conclusions import conclude as conclude
    from mesoevidence.diagnostics import (
        cumulative as cumulative,
        influence as influence,
        leave_one_out as leave_one_out,
    )
    from mesoevidence.evidence import Evidence as Evidence, load as load
    from mesoevidence.explore import explore as explore
    from mesoevidence.formulas import MEASURES as MEASURES
    from mesoevidence.measures import effect_sizes as effect_sizes
    from mesoevidence.model import Claim as Claim, Study as Study, Synthesis as Synthesis, Topic as Topic
    from mesoevidence.multilevel import cluster_robust as cluster_robust, two_level as two_level
    from mesoevidence.pooled import Pooled as Pooled
    from mesoevidence.pooling import pool as pool
    from mesoevidence.problems import EvidenceError as EvidenceError, Problem as Problem
    from mesoevidence.regression import meta_regression as meta_regression, subgroups as subgroups
    from mesoevidence.report import write_report as write_report
    from mesoevidence.summaries import (
        SummaryOfFindings as SummaryOfFindings,
        summary_of_findings as summary_of_findings,
    )
    from mesoevidence.tables import certainty_frame as certainty_frame
    from mesoevidence.templates import init as init

__version__ = "0.1.0"

NOTICE = (
    "Not medical advice. Not a systematic review: no protocol, no exhaustive search. Records were drafted by "
    "the project, mostly from abstracts, and have not been reviewed by a domain expert. No funding, and no "
    "interest in any treatment or product."
)

_NAMES = {  # the public names of each module
    "asymmetry": "rank_test regression_test trim_and_fill",
    "audits": "Audit audit",
    "certainty": "Certainty rate",
    "charts.directions": "effect_direction harvest",
    "charts.evidence_map": "evidence_map",
    "charts.forest": "forest",
    "charts.funnel": "funnel",
    "charts.influence": "baujat labbe",
    "charts.overclaim": "overclaim",
    "charts.prisma": "prisma",
    "charts.risk_of_bias": "bias_bars traffic_light",
    "charts.timeline": "timeline",
    "charts.verdicts": "verdict_matrix",
    "conclusions": "conclude",
    "diagnostics": "cumulative influence leave_one_out",
    "evidence": "Evidence load",
    "explore": "explore",
    "formulas": "MEASURES",
    "measures": "effect_sizes",
    "model": "Claim Study Synthesis Topic",
    "multilevel": "cluster_robust two_level",
    "pooled": "Pooled",
    "pooling": "pool",
    "problems": "EvidenceError Problem",
    "regression": "meta_regression subgroups",
    "report": "write_report",
    "summaries": "summary_of_findings SummaryOfFindings",
    "tables": "certainty_frame",
    "templates": "init",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

_MODULES = ("conversions",)  # a family of functions that reads best under its own name

__all__ = ["NOTICE", "__version__", *_HOME, *_MODULES]  # noqa: PLE0604 - the names are the table's keys


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `check` needs neither pandas nor matplotlib."""
    if name in _MODULES:
        return import_module(f"mesoevidence.{name}")
    if name not in _HOME:
        raise AttributeError(f"mesoevidence has no {name!r}; it has {', '.join(sorted(__all__))}")
    value = getattr(import_module(f"mesoevidence.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
