"""Effect sizes of DataFrames: from what studies print to an estimate and its variance, row by row."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from mesoevidence import bodies, effects
from mesoevidence.bodies import DERIVED, Arms, Question
from mesoevidence.conversions import Floats
from mesoevidence.effects import To, named
from mesoevidence.formulas import COLUMNS, MEASURES, Measure
from mesoevidence.ledger import Ledger
from mesoevidence.model import Analysis
from mesoevidence.problems import EvidenceError

__all__ = ["MEASURES", "compute", "effect_sizes", "named"]


def effect_sizes(
    frame: pd.DataFrame,
    measure: str,
    *,
    vtype: str = "LS",
    add: float | None = None,
    to: To = "only0",
    drop00: bool = False,
) -> pd.DataFrame:
    """Return the frame with an estimate `yi`, its variance `vi`, the `measure` and a `note` on every row.

    The columns are those of metafor's `escalc` (Viechtbauer 2010, doi:10.18637/jss.v036.i03), and so are the
    formulas: `ai bi ci di` or `ai n1i ci n2i`; `m1i sd1i n1i m2i sd2i n2i`; `xi ni`; `mi sdi ni`;
    `x1i t1i x2i t2i`; `m1i m2i sd1i sd2i ri ni` (paired); `ri ni`; `yi` with `vi`, `sei`, `ci_low ci_high` or
    `p`. Ratios are logarithms. A row that cannot be computed stays, empty, with the reason in `note`.

    Parameters
    ----------
    frame : DataFrame
        One row a study.
    measure : str
        A name in `MEASURES`.
    vtype : {"LS", "LS2", "UB", "HO", "revman"}
        The sampling variance. For SMD: "LS" (Hedges 1982), "LS2" (Borenstein), "UB" (unbiased), "revman"
        (the Cochrane formula with its approximate correction: Deeks and Higgins 2010).
    add, to, drop00
        What is added to cells (0.5), where ("only0": in studies with a zero, "all", "if0all", "none"), and
        whether studies without events, or without anything else, in both arms are left out.

    Returns
    -------
    DataFrame
        A copy, row by row. Means and their differences are in the unit of the outcome, ratios are logarithms,
        and `vi` is in that unit squared.

    Raises
    ------
    EvidenceError
        When there is no such measure or variance, or a column is missing or holds no numbers.

    Examples
    --------
    >>> trials = pd.DataFrame({"ai": [54, 27], "n1i": [86, 30], "ci": [7, 12], "n2i": [40, 30]})
    >>> effect_sizes(trials, "RR")[["yi", "vi"]].round(4).values.tolist()
    [[1.2776, 0.1247], [0.8109, 0.0537]]
    """
    if not isinstance(frame, pd.DataFrame):
        raise EvidenceError(f"give a DataFrame, one row a study, and not {type(frame).__name__}")
    yi, vi, note = compute(frame, measure, vtype=vtype, add=add, to=to, drop00=drop00)
    return frame.assign(yi=yi, vi=vi, measure=measure, note=pd.array(note, dtype=object))


def each_by_its_own(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows of which each names its measure, with their effects."""
    if frame["measure"].nunique() < 2:
        return frame
    groups = frame.reset_index(drop=True).groupby("measure", dropna=False)
    return pd.concat([effect_sizes(part, str(name)) for name, part in groups]).sort_index()


def compute(
    frame: pd.DataFrame,
    measure: str,
    *,
    vtype: str = "LS",
    add: float | None = None,
    to: To = "only0",
    drop00: bool = False,
) -> effects.Row:
    """Return estimates, variances and notes as arrays; what `effect_sizes` puts into its frame."""
    spec = named(measure)
    if vtype not in spec.vtypes:
        raise EvidenceError(f"{measure} has no variance {vtype!r}; it has {', '.join(spec.vtypes)}")
    return effects.compute(columns(frame, spec), spec, vtype=vtype, add=add, to=to, drop00=drop00)


def columns(frame: pd.DataFrame, spec: Measure) -> dict[str, Floats]:
    """Return the columns that a measure needs as arrays; the missing cell of a table from its total."""
    if spec.shape == "generic":
        return estimates(frame)
    found: dict[str, Floats] = {}
    for name in COLUMNS[spec.shape]:
        if name in frame.columns:
            found[name] = numbers(frame, name)
        elif name in DERIVED and spec.shape in ("table", "events") and DERIVED[name][0] in frame.columns:
            total, part = DERIVED[name]
            found[name] = numbers(frame, total) - found[part]
        else:
            need = " ".join(COLUMNS[spec.shape])
            raise EvidenceError(f"{spec.name} needs the columns {need}, and there is no column `{name}`")
    return found


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column as floats, what is missing as NaN, or say that it holds something else."""
    values = frame[name]
    if isinstance(values, pd.DataFrame):
        raise EvidenceError(f"there are {values.shape[1]} columns `{name}`; keep one")
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiu":
        return values.to_numpy(np.float64)  # five times as fast as with a look for what is missing
    said = f"the column `{name}` holds something that is not a number"
    if values.dtype.kind in "cmM":  # complex numbers, spans and points of time
        raise EvidenceError(said)
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise EvidenceError(said) from error


def estimates(frame: pd.DataFrame) -> dict[str, Floats]:
    """Return `yi` with `vi`: given, else from `sei`, a 95 % interval `ci_low ci_high` or a two-sided `p`."""
    if "yi" not in frame.columns:
        raise EvidenceError("there is no column `yi`; give it with vi, sei, ci_low and ci_high, or p")
    yi = numbers(frame, "yi")
    vi = numbers(frame, "vi") if "vi" in frame.columns else np.full(len(frame), np.nan)
    if not np.isnan(vi).any():
        return {"yi": yi, "vi": vi}
    with np.errstate(all="ignore"):
        if "sei" in frame.columns:
            se = numbers(frame, "sei")
            vi = np.where(np.isnan(vi), se * np.abs(se), vi)  # a negative one is refused as such
        if "ci_low" in frame.columns and "ci_high" in frame.columns:
            width = numbers(frame, "ci_high") - numbers(frame, "ci_low")
            se = np.where(width > 0, width, np.nan) / (-2 * special.ndtri(0.025))
            vi = np.where(np.isnan(vi), se**2, vi)
        if "p" in frame.columns:
            vi = np.where(np.isnan(vi), (yi / special.ndtri(numbers(frame, "p") / 2)) ** 2, vi)
    return {"yi": yi, "vi": vi}


def participants(frame: pd.DataFrame) -> Floats | None:
    """Return how many people stand behind each row, if the columns tell."""
    known = frame.columns
    for names in (("ni",), ("n1i", "n2i"), ("ai", "bi", "ci", "di"), ("xi", "mi")):
        if all(name in known for name in names):
            return sum((numbers(frame, name) for name in names), np.zeros(len(frame)))
    return None


class Body(NamedTuple):
    """The studies of a synthesis as a frame, its name, the analysis that was fixed, and the question."""

    frame: pd.DataFrame
    label: str
    analysis: Analysis
    question: Question


def synthesis_frame(
    ledger: Ledger, synthesis: str | None, measure: str | None = None, arms: Arms | None = None
) -> Body:
    """Return the studies of a synthesis with their effects; `bodies.body` says how."""
    found = bodies.body(ledger, synthesis, measure, arms)
    slab = [bodies.label_of(ledger, study) for study in found.studies]
    frame = pd.DataFrame({"slab": slab, "study": found.studies, **found.arms})
    frame = frame.assign(yi=found.yi, vi=found.vi)
    if found.arms:
        frame = frame.assign(measure=found.spec.name, note=pd.array(list(found.note), dtype=object))
    return Body(frame, found.label, found.analysis, found.question)
