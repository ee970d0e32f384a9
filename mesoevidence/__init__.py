"""Record study claims with their evidence as plain text, check them, pool them, judge them and draw them.

>>> import mesoevidence as me
>>> evidence = me.load()
>>> evidence.table("claims").columns[0]
'id'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesoevidence.conclusions import conclude as conclude
    from mesoevidence.evidence import Evidence as Evidence
    from mesoevidence.evidence import load as load
    from mesoevidence.measures import effect_sizes as effect_sizes
    from mesoevidence.model import Claim as Claim
    from mesoevidence.model import Study as Study
    from mesoevidence.model import Synthesis as Synthesis
    from mesoevidence.model import Topic as Topic
    from mesoevidence.pooling import pool as pool
    from mesoevidence.problems import EvidenceError as EvidenceError
    from mesoevidence.problems import Problem as Problem
    from mesoevidence.report import write_report as write_report

__version__ = "0.1.0"

NOTICE = (
    "Not medical advice. Not a systematic review: no protocol, no exhaustive search. Records were drafted by "
    "the project, mostly from abstracts, and have not been reviewed by a domain expert. No funding, and no "
    "interest in any treatment or product."
)

_HOME = {
    "Claim": "model",
    "Evidence": "evidence",
    "EvidenceError": "problems",
    "Problem": "problems",
    "Study": "model",
    "Synthesis": "model",
    "Topic": "model",
    "conclude": "conclusions",
    "effect_sizes": "measures",
    "load": "evidence",
    "pool": "pooling",
    "write_report": "report",
}

__all__ = ["NOTICE", "__version__", *_HOME]  # noqa: PLE0604 - the names are the table's keys


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `check` needs neither pandas nor matplotlib."""
    if name not in _HOME:
        raise AttributeError(f"mesoevidence has no {name!r}; it has {', '.join(sorted(__all__))}")
    value = getattr(import_module(f"mesoevidence.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
