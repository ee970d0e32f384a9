"""What a forest plot says, row by row, before anything is drawn: studies, subgroups, totals and notes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from mesoevidence import measures
from mesoevidence.charts.axis import Interval, number, probability, whole
from mesoevidence.charts.chart import having
from mesoevidence.charts.kit import Align
from mesoevidence.diagnostics import Repooled
from mesoevidence.fitting import COUNTED
from mesoevidence.formulas import MEASURES
from mesoevidence.linear_model import critical
from mesoevidence.pooled import Pooled
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.regression import Subgroups, subgroups

Kind = Literal["study", "heading", "subtotal", "total", "prediction", "beside", "note"]
Forestable: TypeAlias = "Pooled | Subgroups | Repooled | pd.DataFrame"

_ARMS: Mapping[str, tuple[tuple[tuple[str, str], ...], ...]] = MappingProxyType(
    {"table": ((("ai", "Events"), ("n1i", "Total")), (("ci", "Events"), ("n2i", "Total"))),
    "events": ((("xi", "Events"), ("ni", "Total")),),
    "rates": ((("x1i", "Events"), ("t1i", "Time")), (("x2i", "Events"), ("t2i", "Time"))), "means": (
    (("m1i", "Mean"), ("sd1i", "SD"), ("n1i", "Total")),
    (("m2i", "Mean"), ("sd2i", "SD"), ("n2i", "Total"))),
    "mean": ((("mi", "Mean"), ("sdi", "SD"), ("ni", "Total")),), "correlation": ((("ni", "Total"),),)}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column of text: its heading, the arm it belongs to, and why it may be left out."""

    keys: tuple[str, ...]
    head: str
    arm: str = ""
    align: Align = "right"
    part: str = "arms"

    @property
    def counted(self) -> bool:
        """Whether it holds counts, which add up."""
        return self.part == "arms" and self.head.startswith(("Events", "Total", "Time"))


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it says, what it draws, and its lights by domain."""

    kind: Kind
    label: str
    interval: Interval | None = None
    weight: float | None = None
    cells: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    lights: Mapping[str, str] = field(default_factory=dict)
    short: str = ""

    @property
    def bounded(self) -> bool:
        """Whether there is an interval; where there is none both ends are the estimate."""
        return self.interval is not None and self.interval[1] < self.interval[2]


@dataclass(frozen=True)
class Content:
    """All that a forest plot says."""

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    measure: str
    level: float
    pooled: Pooled | None
    notes: Sequence[str]
    head: str = ""

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The domains of bias of all rows in their order, the overall judgement last."""
        seen = dict.fromkeys(domain for row in self.rows for domain in row.lights)
        return tuple(sorted(seen, key=lambda domain: domain == "overall"))  # the others keep their order

    @property
    def grouped(self) -> bool:
        """Whether studies stand under the names of subgroups."""
        return bool(self.rows) and self.rows[0].kind == "heading"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for beside the data."""

    by: str | None
    arms: tuple[str, str]
    columns: Mapping[str, str]
    rob: pd.DataFrame | None
    lead: bool  # a zero before the point of p
    fraction: bool  # "a / n" in one column
    spread: bool  # tau2 is printed
    prediction: bool
    beside: Sequence[Pooled] = ()


def content(data: Forestable, wish: Wish, measure: str | None, level: float) -> Content:
    """Return what a forest plot of any of the results says."""
    if isinstance(data, Pooled):
        return _of_pooled(data, wish)
    if isinstance(data, Repooled):
        sign, note = _AGAIN[data.step]
        labels = [f"{sign} {slab}" for slab in data.table["slab"]]
        return _of_table(data.table, labels, measure, data.level, sign, note)
    if isinstance(data, Subgroups):
        return _of_table(data.table, data.table[data.by].astype(str).tolist(), measure, level, "Subgroup")
    if isinstance(data, pd.DataFrame):
        return _of_frame(data, wish, measure, level)
    raise EvidenceError(f"a forest plot shows a pooled result, or a table, not {type(data).__name__}")


def _of_frame(frame: pd.DataFrame, wish: Wish, measure: str | None, level: float) -> Content:
    """Return the rows of effects that nobody pooled."""
    if "yi" not in frame and measure:
        frame = measures.effect_sizes(frame, measure)
    given = frame["measure"].dropna().tolist() if "measure" in frame else []
    name = measures.named(measure or (str(given[0]) if given else "GEN")).name
    yi, vi = measures.estimates(frame).values()
    slab = frame["slab"].astype(str) if "slab" in frame else [f"study {n}" for n in range(1, len(frame) + 1)]
    table = totals(frame.assign(slab=list(slab), yi=yi, vi=vi))
    columns = _columns(table, name, wish)
    rows = _studies(table, wish, columns, level, None)
    if not rows:
        raise EvidenceError("there is no study to show")
    return Content(tuple(rows), columns, name, level, None, ("Nothing was pooled.",))


def _of_table(
    table: pd.DataFrame, labels: Sequence[str], measure: str | None, level: float, head: str, *notes: str
) -> Content:
    """Return a row for each pooling of a table."""
    name = measure or (str(table["measure"].iloc[0]) if "measure" in table else "GEN")
    limits = table[["estimate", "ci_low", "ci_high"]].to_numpy(dtype=float, na_value=np.nan)
    rows = []
    for label, (estimate, low, high), k in zip(labels, limits.tolist(), table["k"], strict=True):
        if math.isfinite(estimate):
            ends = (low, high) if math.isfinite(low) else (estimate, estimate)
            rows.append(Row("study", label, (estimate, *ends), None, {("k",): str(k)}))
    return Content(tuple(rows), (Column(("k",), "Studies", part="extra"),), name, level, None, notes, head)


_AGAIN = {
    "left out": ("Without", "Each row pools all studies but one."),
    "added": ("Adding", "Each row pools the studies so far."),
}


def _of_pooled(pooled: Pooled, wish: Wish) -> Content:
    """Return the rows of a pooled result: studies, in subgroups if asked, the total and what it means."""
    table = totals(pooled.studies)
    columns = _columns(table, pooled.measure, wish)
    notes = [] if pooled.k == 1 else list(_heterogeneity(pooled, wish))
    if wish.by is None:
        rows = _studies(table, wish, columns, pooled.level, pooled)
    else:
        rows, between = _grouped(table, wish, columns, pooled)
        notes += between
    level = f"{100 * pooled.level:g}%"
    if pooled.k > 1:
        ends = pooled.ci or (pooled.estimate, pooled.estimate)
        cells = _sums(table, columns)
        rows.append(Row("total", f"Total ({level} CI)", (pooled.estimate, *ends), 100.0, cells))
    if pooled.prediction and wish.prediction:
        rows.append(Row("prediction", f"{level} prediction interval", (pooled.estimate, *pooled.prediction)))
    rows += map(partial(_beside, pooled), wish.beside)
    warned = (f"{text[:1].upper()}{text[1:]}.".replace("tau2", "τ²") for text in pooled.warnings)
    notes += [_method(pooled), *warned]
    return Content(tuple(rows), columns, pooled.measure, pooled.level, pooled, notes)


def _beside(pooled: Pooled, other: Pooled) -> Row:
    """Return the diamond of the same studies pooled otherwise, named by how."""
    if (other.measure, sorted(other.slab)) != (pooled.measure, sorted(pooled.slab)):
        raise EvidenceError("what stands beside a result pools the same studies by the same measure")
    ends = other.ci or (other.estimate, other.estimate)
    model = other.lines()["model"]
    label = f"{model[:1].upper()}{model[1:]} ({100 * other.level:g}% CI)"
    return Row("beside", label, (other.estimate, *ends))


def _grouped(
    table: pd.DataFrame, wish: Wish, columns: tuple[Column, ...], pooled: Pooled
) -> tuple[list[Row], list[str]]:
    """Return the rows of each subgroup, in the order they come in, and the test between them."""
    by = str(wish.by)
    having(table, [by])
    names = table[by].astype(object).where(table[by].notna(), "Not stated").astype(str)
    table = table.assign(**{by: names}).drop(columns=["measure"], errors="ignore")
    how: dict[str, Any] = {"method": pooled.method, "test": pooled.test, "level": pooled.level}
    rows, errors = [], []
    for name, part in table.groupby(by, sort=False):
        found = pool(part, measure=pooled.measure, **how)
        errors.append(found.se)
        rows += [Row("heading", str(name)), *_studies(part, wish, columns, pooled.level, pooled)]
        if found.k > 1 and found.ci:
            weight, cells = float(part["weight"].sum()), _sums(part, columns)
            label = f"Subtotal ({100 * pooled.level:g}% CI)"
            rows.append(Row("subtotal", label, (found.estimate, *found.ci), weight, cells))
            said = [f"{found.k} studies", *_spread(found, wish)]
            short = (text for text in said if not text.startswith("χ²"))
            rows.append(Row("note", "; ".join(said), short="; ".join(short)))
    if len(errors) < 2 or pooled.method in COUNTED or None in errors:
        return rows, []
    test = subgroups(table, by, **how)
    p = probability(test.q_p_value, lead=wish.lead)
    return rows, [f"Subgroup differences: χ² = {test.q:.2f}, df = {test.q_df[0]} ({p})"]


def _studies(
    table: pd.DataFrame, wish: Wish, columns: tuple[Column, ...], level: float, pooled: Pooled | None
) -> list[Row]:
    """Return a row for each study."""
    half = float(critical(level, None))
    texts = {column.keys: _texts(table, column) for column in columns}
    weights = table["weight"].tolist() if pooled else [None] * len(table)
    lights = _lights(table, wish.rob)
    rows = []
    for place, (slab, y, v) in enumerate(zip(table["slab"], table["yi"], table["vi"], strict=True)):
        spread = half * math.sqrt(v) if math.isfinite(v) else 0.0
        interval = (float(y), y - spread, y + spread) if math.isfinite(y) else None
        cells = {key: column[place] for key, column in texts.items()}
        rows.append(Row("study", str(slab), interval, weights[place], cells, lights[place]))
    return rows


def _columns(table: pd.DataFrame, measure: str, wish: Wish) -> tuple[Column, ...]:
    """Return the columns that the studies fill: their arms, and those asked for."""
    found = []
    arms = _ARMS.get(MEASURES[measure].shape, ())
    for fields, arm in zip(arms, wish.arms if len(arms) > 1 else ("",), strict=False):
        names, heads = zip(*fields, strict=True)
        if set(names) <= set(table):
            if wish.fraction and heads[0] == "Events":
                found.append(Column(names, " / ".join(heads).capitalize(), arm))
            else:
                found += [Column((name,), head, arm) for name, head in fields]
    for name in having(table, list(wish.columns)):
        side: Align = "right" if pd.api.types.is_numeric_dtype(table[name]) else "left"
        found.append(Column((name,), wish.columns[name], align=side, part="extra"))
    return tuple(found)


def totals(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the size of an arm where only events and others are given."""
    for total, parts in (("n1i", ("ai", "bi")), ("n2i", ("ci", "di")), ("ni", ("xi", "mi"))):
        if total not in table and all(name in table for name in parts):
            table = table.assign(**{total: table[parts[0]] + table[parts[1]]})
    return table


def _texts(table: pd.DataFrame, column: Column) -> list[str]:
    """Return a column as it is printed: counts whole, means with the decimals they have."""
    if column.counted:
        counts = zip(*(table[key] for key in column.keys), strict=True)
        return [" / ".join("" if pd.isna(n) else whole(float(n)) for n in row) for row in counts]
    values = table[column.keys[0]].tolist()
    if column.part == "extra":
        values = ["" if pd.isna(cell) else cell for cell in values]
        return [f"{cell:g}".replace("-", "−") if isinstance(cell, float) else str(cell) for cell in values]
    decimals = [f"{value:.2f}".rstrip("0").partition(".")[2] for value in values if pd.notna(value)]
    digits = max(map(len, decimals), default=0)
    return ["" if pd.isna(value) else number(value, digits) for value in values]


def _sums(table: pd.DataFrame, columns: tuple[Column, ...]) -> dict[tuple[str, ...], str]:
    """Return what adds up: events and people."""
    return {
        column.keys: " / ".join(whole(float(table[key].sum())) for key in column.keys)
        for column in columns
        if column.counted and table[list(column.keys)].notna().all(axis=None)
    }


def _lights(table: pd.DataFrame, rob: pd.DataFrame | None) -> list[dict[str, str]]:
    """Return the judgements of each study by domain: those of the result shown, else of the whole study."""
    if rob is None:
        return [{} for _ in range(len(table))]
    having(rob, ["study", "domain", "judgement"])
    found, studies = [], rob["study"].astype(str)
    for row in table.to_dict("records"):
        own = rob[studies.isin([str(row[name]) for name in ("study", "slab") if name in row])]
        if row.get("result") is not None and "result" in own:
            own = pd.concat([own[own["result"].isna()], own[own["result"] == row["result"]]])
        found.append(dict(zip(own["domain"].astype(str), own["judgement"].astype(str), strict=True)))
    return found


def _spread(pooled: Pooled, wish: Wish, *, full: bool = False) -> Iterator[str]:
    """Yield how far studies differ: the variance of their effects, Q, and its share."""
    if pooled.tau2 is not None and wish.spread:
        limits = pooled.tau2_ci if full else None
        within = f", {100 * pooled.level:g}% CI {number(limits[0])} to {number(limits[1])}" if limits else ""
        yield f"τ² = {number(pooled.tau2)}" + (f" ({pooled.method}{within})" if full else "")
    if pooled.q is not None:
        yield f"χ² = {pooled.q:.2f}, df = {pooled.q_df} ({probability(pooled.q_p_value, lead=wish.lead)})"
    if pooled.i2 is not None:
        yield f"I² = {pooled.i2:.0f}%" + (" (from τ²)" if full and pooled.tau2 is not None else "")


def _heterogeneity(pooled: Pooled, wish: Wish) -> Iterator[str]:
    """Yield what the studies differ by, and the test of the pooled effect."""
    if parts := [*_spread(pooled, wish, full=True)]:
        yield "Heterogeneity: " + "; ".join(parts)
    if pooled.statistic is not None and MEASURES[pooled.measure].null is not None:
        kind = "z" if pooled.df is None else f"t({pooled.df})"
        p = probability(pooled.p_value, lead=wish.lead)
        yield f"Overall effect: {kind} = {number(pooled.statistic)} ({p})"


def _method(pooled: Pooled) -> str:
    """Return how the studies were pooled, and of how many people."""
    said = pooled.lines()
    people = "" if pooled.n is None else f", {whole(pooled.n)} participants"
    model = said["model"][:1].upper() + said["model"][1:]
    return f"{pooled.k} {'study' if pooled.k == 1 else 'studies'}{people}. {model}."
