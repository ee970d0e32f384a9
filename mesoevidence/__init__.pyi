# The public names, each in its module: read by type checkers, and by `lazy_loader` when one is asked for.

from . import conversions as conversions
from .asymmetry import (
    rank_test as rank_test,
    regression_test as regression_test,
    trim_and_fill as trim_and_fill,
)
from .audits import Audit as Audit, audit as audit
from .certainty import Certainty as Certainty, rate as rate
from .charts.directions import effect_direction as effect_direction, harvest as harvest
from .charts.evidence_map import evidence_map as evidence_map
from .charts.forest import forest as forest
from .charts.funnel import funnel as funnel
from .charts.influence import baujat as baujat, labbe as labbe
from .charts.overclaim import overclaim as overclaim
from .charts.prisma import prisma as prisma
from .charts.risk_of_bias import bias_bars as bias_bars, traffic_light as traffic_light
from .charts.timeline import timeline as timeline
from .charts.verdicts import verdict_matrix as verdict_matrix
from .conclusions import conclude as conclude
from .diagnostics import (
    cumulative as cumulative,
    influence as influence,
    leave_one_out as leave_one_out,
)
from .evidence import Evidence as Evidence, load as load
from .explore import explore as explore
from .formulas import MEASURES as MEASURES
from .measures import effect_sizes as effect_sizes
from .model import Claim as Claim, Study as Study, Synthesis as Synthesis, Topic as Topic
from .multilevel import cluster_robust as cluster_robust, two_level as two_level
from .pooled import Pooled as Pooled
from .pooling import pool as pool
from .problems import EvidenceError as EvidenceError, Problem as Problem
from .regression import meta_regression as meta_regression, subgroups as subgroups
from .report import (
    is_current as is_current,
    write_report as write_report,
    write_review as write_review,
)
from .summaries import (
    SummaryOfFindings as SummaryOfFindings,
    summary_of_findings as summary_of_findings,
)
from .tables import certainty_frame as certainty_frame
from .templates import init as init

__version__: str
NOTICE: str
