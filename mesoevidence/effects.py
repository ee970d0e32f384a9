"""Estimates and variances from the cells of studies: corrections made, refusals said, no row lost."""

from collections.abc import Mapping
from numbers import Real
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mesoevidence.conversions import Floats
from mesoevidence.formulas import COLUMNS, MEASURES, Measure, Shape
from mesoevidence.problems import EvidenceError, nearest

Mask: TypeAlias = NDArray[np.bool_]
To = Literal["only0", "all", "if0all", "none"]
Row: TypeAlias = tuple[Floats, Floats, list[str | None]]

_COUNTS: Mapping[Shape, int] = MappingProxyType({"table": 4, "events": 2, "rates": 2})


def compute(
    cells: dict[str, Floats],
    spec: Measure,
    *,
    vtype: str = "LS",
    add: float | None = None,
    to: To = "only0",
    drop00: bool = False,
) -> Row:
    """Return estimates, variances and notes as arrays; `cells` has the columns the measure needs."""
    if to not in ("only0", "all", "if0all", "none"):
        raise EvidenceError(f"`to` is only0, all, if0all or none, not {to!r}")
    if add is not None and not (isinstance(add, Real) and 0 <= add < np.inf):
        raise EvidenceError(f"`add` is a number, 0 or more, not {add!r}")
    note: list[str | None] = [None] * len(next(iter(cells.values())))
    with np.errstate(all="ignore"):
        _refuse(cells, spec.shape, note)
        if spec.shape in _COUNTS:
            cells = _corrected(cells, spec, spec.add if add is None else add, to, drop00, note)
        yi, vi = spec.compute(*cells.values(), vtype)
        refused = np.array([text is not None and not text.startswith("added") for text in note], dtype=bool)
        lost = ~(np.isfinite(yi) & (vi >= 0) & np.isfinite(vi))
    _say(note, lost & ~refused, f"{spec.name} or its variance is not defined for these numbers")
    empty = lost | refused
    _say(note, (vi == 0) & ~empty, "the variance is zero, so that this row cannot be pooled")
    return np.where(empty, np.nan, yi), np.where(empty, np.nan, vi), note


def named(measure: str) -> Measure:
    """Return the measure of that name, or say which name is near."""
    if measure in MEASURES:
        return MEASURES[measure]
    near = nearest(str(measure).upper(), list(MEASURES))
    hint = f"did you mean {near}?" if near else f"there are {', '.join(MEASURES)}"
    raise EvidenceError(f"there is no measure {measure!r}; {hint}")


def _say(note: list[str | None], where: Mask, text: str) -> None:
    """Put a text on the rows of a mask that have none."""
    for row in np.flatnonzero(where):
        if note[row] is None:
            note[row] = text


def _refuse(cells: Mapping[str, Floats], shape: Shape, note: list[str | None]) -> None:
    """Say which rows cannot be: a number missing or infinite, a negative count, an empty group."""
    for name, values in cells.items():
        _say(note, np.isnan(values), f"`{name}` is missing")
        _say(note, np.isinf(values), f"`{name}` is infinite")
    for name, values in cells.items():
        if name.startswith("sd"):
            _say(note, values < 0, f"the standard deviation `{name}` is negative")
        elif name in ("n1i", "n2i", "ni", "t1i", "t2i"):
            _say(note, values <= 0, f"`{name}` is not above zero")
        elif name == "ri":
            _say(note, np.abs(values) > 1, "the correlation lies outside -1 to 1")
    for name in COLUMNS[shape][: _COUNTS.get(shape, 0)]:
        _say(note, cells[name] < 0, "a count is negative, or larger than its group")
    if shape == "table":
        ai, bi, ci, di = cells.values()
        _say(note, (ai + bi == 0) | (ci + di == 0), "a group is empty")
    if shape == "events":
        _say(note, cells["xi"] + cells["mi"] == 0, "the group is empty")


def _corrected(
    cells: dict[str, Floats], spec: Measure, add: float, to: To, drop00: bool, note: list[str | None]
) -> dict[str, Floats]:
    """Return the counts with the continuity correction, and say on which rows it was made."""
    names = COLUMNS[spec.shape][: _COUNTS[spec.shape]]
    counts = [cells[name] for name in names]
    zero = np.logical_or.reduce([count == 0 for count in counts])
    if drop00 and spec.shape != "events":
        alike = (counts[::2], counts[1::2]) if spec.shape == "table" else (counts,)
        none = np.logical_or.reduce([(one == 0) & (other == 0) for one, other in alike])
        _say(note, none, "left out: the outcome is the same for everybody in both arms")
        zero &= ~none  # a study left out is no reason to correct the others
    raised = {"only0": zero, "all": np.ones_like(zero), "if0all": np.full_like(zero, zero.any())}.get(to)
    if raised is None or add == 0:
        return cells
    _say(note, raised, f"added {add:g} to every count of this study")
    return {name: np.where(raised, value + add, value) if name in names else value
            for name, value in cells.items()}  # fmt: skip
