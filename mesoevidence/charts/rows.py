"""What a forest plot says, row by row, before anything is drawn: studies, subgroups, totals and notes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from mesoevidence import measures
from mesoevidence.charts.axis import Interval, number, probability, whole
from mesoevidence.charts.kit import Align
from mesoevidence.diagnostics import Repooled
from mesoevidence.fitting import COUNTED
from mesoevidence.formulas import MEASURES
from mesoevidence.linear_model import critical
from mesoevidence.pooled import Pooled
from mesoevidence.pooling import pool
from mesoevidence.problems import EvidenceError
from mesoevidence.regression import Subgroups, subgroups

Kind = Literal["study", "heading", "subtotal", "total", "prediction", "note"]
Forestable: TypeAlias = "Pooled | Subgroups | Repooled | pd.DataFrame"

_ARMS: Mapping[str, tuple[tuple[tuple[str, str], ...], ...]] = MappingProxyType(
    {"table": ((("ai", "Events"), ("n1i", "Total")), (("ci", "Events"), ("n2i", "Total"))),
    "events": ((("xi", "Events"), ("ni", "Total")),),
    "rates": ((("x1i", "Events"), ("t1i", "Time")), (("x2i", "Events"), ("t2i", "Time"))), "means": (
    (("m1i", "Mean"), ("sd1i", "SD"), ("n1i", "Total")),
    (("m2i", "Mean"), ("sd2i", "SD"), ("n2i", "Total"))),
    "mean": ((("mi", "Mean"), ("sdi", "SD"), ("ni", "Total")),), "correlation": ((("ni", "Total"),),)}
)  # fmt: skip
_SUMMED = ("Events", "Total", "Time")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of text: its heading, the arm it belongs to, and why it may be left out."""

    key: str
    head: str
    arm: str = ""
    align: Align = "right"
    part: str = "arms"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it says, what it draws, and its lights by domain."""

    kind: Kind
    label: str
    interval: Interval | None = None
    weight: float | None = None
    cells: Mapping[str, str] = field(default_factory=dict)
    lights: Mapping[str, str] = field(default_factory=dict)
    short: str = ""

    @property
    def bounded(self) -> bool:
        """Whether there is an interval; where there is none both ends are the estimate."""
        return self.interval is not None and self.interval[1] < self.interval[2]


@dataclass(frozen=True, slots=True)
class Content:
    """All that a forest plot says."""

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    measure: str
    level: float
    pooled: Pooled | None
    notes: tuple[str, ...]
    domains: tuple[str, ...] = ()
    head: str = ""

    @property
    def grouped(self) -> bool:
        """Whether studies stand under the names of subgroups."""
        return bool(self.rows) and self.rows[0].kind == "heading"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for beside the data."""

    by: str | None
    arms: tuple[str, str]
    columns: tuple[str, ...]
    rob: pd.DataFrame | None
    lead: bool  # a zero before the point of p
    fraction: bool  # "a / n" in one column
    spread: bool  # tau2 is printed
    prediction: bool


def content(data: Forestable, wish: Wish, measure: str | None, level: float) -> Content:
    """Return what a forest plot of any of the results says."""
    if isinstance(data, Pooled):
        return _of_pooled(data, wish)
    if isinstance(data, Repooled):
        sign = "Without" if data.step == "left out" else "Adding"
        return _of_table(
            data.table, [f"{sign} {slab}" for slab in data.table["slab"]], measure, data.level, sign
        )
    if isinstance(data, Subgroups):
        return _of_table(data.table, data.table[data.by].astype(str).tolist(), measure, level, "Subgroup")
    if isinstance(data, pd.DataFrame):
        return _of_frame(data, wish, measure, level)
    raise EvidenceError(
        f"a forest plot shows what was pooled, or a table of effects, not {type(data).__name__}"
    )


def _of_frame(frame: pd.DataFrame, wish: Wish, measure: str | None, level: float) -> Content:
    """Return the rows of effects that nobody pooled."""
    if "yi" not in frame and measure:
        frame = measures.effect_sizes(frame, measure)
    given = frame["measure"].dropna().tolist() if "measure" in frame else []
    name = measures.named(measure or (str(given[0]) if given else "GEN")).name
    yi, vi = measures.estimates(frame).values()
    slab = frame["slab"].astype(str) if "slab" in frame else [f"study {n}" for n in range(1, len(frame) + 1)]
    table = frame.assign(slab=list(slab), yi=yi, vi=vi)
    columns = _columns(table, name, wish)
    rows = _studies(totals(table), wish, columns, level, None)
    if not rows:
        raise EvidenceError("there is no study to show")
    return Content(tuple(rows), columns, name, level, None, ("Nothing was pooled.",), _domains(rows))


def _of_table(
    table: pd.DataFrame, labels: Sequence[str], measure: str | None, level: float, head: str
) -> Content:
    """Return a row for each pooling of a table."""
    name = measure or (str(table["measure"].iloc[0]) if "measure" in table else "GEN")
    limits = table[["estimate", "ci_low", "ci_high"]].to_numpy(dtype=float, na_value=np.nan)
    rows = []
    for label, values, k in zip(labels, limits.tolist(), table["k"], strict=True):
        estimate, low, high = values
        if math.isfinite(estimate):
            ends = (low, high) if math.isfinite(low) else (estimate, estimate)
            rows.append(Row("study", label, (estimate, *ends), None, {"k": str(k)}))
    columns = (Column("k", "Studies", part="extra"),)
    said = {"Without": "Each row pools all studies but one.", "Adding": "Each row pools the studies so far."}
    return Content(tuple(rows), columns, name, level, None, tuple(filter(None, (said.get(head),))), (), head)


def _of_pooled(pooled: Pooled, wish: Wish) -> Content:
    """Return the rows of a pooled result: studies, in subgroups if asked, the total and what it means."""
    table = totals(pooled.studies)
    columns = _columns(table, pooled.measure, wish)
    rows: list[Row] = []
    notes = [] if pooled.k == 1 else list(_heterogeneity(pooled, wish))
    if wish.by is None:
        rows += _studies(table, wish, columns, pooled.level, pooled)
    else:
        rows, between = _grouped(table, wish, columns, pooled)
        notes += between
    level = f"{100 * pooled.level:g}%"
    if pooled.k > 1:
        ends = pooled.ci or (pooled.estimate, pooled.estimate)
        cells = _sums(table, columns)
        rows.append(Row("total", f"Total ({level} CI)", (pooled.estimate, *ends), 100.0, cells))
    if pooled.prediction and wish.prediction:
        low, high = pooled.prediction
        rows.append(Row("prediction", f"{level} prediction interval", (pooled.estimate, low, high)))
    notes += [
        _method(pooled),
        *(f"{text[:1].upper()}{text[1:]}.".replace("tau2", "τ²") for text in pooled.warnings),
    ]
    return Content(tuple(rows), columns, pooled.measure, pooled.level, pooled, tuple(notes), _domains(rows))


def _grouped(
    table: pd.DataFrame, wish: Wish, columns: tuple[Column, ...], pooled: Pooled
) -> tuple[list[Row], list[str]]:
    """Return the rows of each subgroup, in the order they come in, and the test between them."""
    by = str(wish.by)
    having(table, [by])
    names = table[by].astype(object).where(table[by].notna(), "Not stated").astype(str)
    table = table.assign(**{by: names}).drop(columns=["measure"], errors="ignore")
    how: dict[str, Any] = {"method": pooled.method, "test": pooled.test, "level": pooled.level}
    found = pool(table, by=by, measure=pooled.measure, **how).set_index(by)
    rows: list[Row] = []
    for name in dict.fromkeys(names):
        part = table[names == name]
        rows.append(Row("heading", name))
        rows += _studies(part, wish, columns, pooled.level, pooled)
        if len(part) > 1 and pd.notna(found["ci_low"][name]):
            rows += _subtotal(found.loc[name].to_dict(), part, columns, wish)
    notes = []
    if len(found) > 1 and pooled.method not in COUNTED and found["se"].notna().all():
        test = subgroups(table, by, **how)
        p = probability(test.q_p_value, lead=wish.lead)
        notes.append(f"Subgroup differences: χ² = {test.q:.2f}, df = {test.q_df[0]} ({p})")
    return rows, notes


def _subtotal(
    result: "Mapping[Any, Any]", part: pd.DataFrame, columns: tuple[Column, ...], wish: Wish
) -> Iterator[Row]:
    """Yield the diamond of a subgroup and the line on its heterogeneity."""
    interval = (float(result["estimate"]), float(result["ci_low"]), float(result["ci_high"]))
    label = f"Subtotal ({100 * float(result['level']):g}% CI)"
    yield Row("subtotal", label, interval, float(part["weight"].sum()), _sums(part, columns))
    parts = [] if pd.isna(result["tau2"]) or not wish.spread else [f"τ² = {number(float(result['tau2']))}"]
    i2 = [] if pd.isna(result["i2"]) else [f"I² = {float(result['i2']):.0f}%"]
    p = probability(float(result["q_p_value"]), lead=wish.lead)
    parts = [f"{len(part)} studies", *parts]
    full = [*parts, f"χ² = {float(result['q']):.2f}, df = {result['q_df']} ({p})", *i2]
    yield Row("note", "; ".join(full), short="; ".join([*parts, *i2]))


def _studies(
    table: pd.DataFrame, wish: Wish, columns: tuple[Column, ...], level: float, pooled: Pooled | None
) -> list[Row]:
    """Return a row for each study."""
    half = float(critical(level, None))
    texts = {column.key: _texts(table, column) for column in columns}
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
        if not all(name in totals(table) for name, _ in fields):
            continue
        if wish.fraction and fields[0][1] == "Events":
            found.append(
                Column(f"{fields[0][0]}/{fields[1][0]}", f"{fields[0][1]} / {fields[1][1].lower()}", arm)
            )
        else:
            found += [Column(name, head, arm) for name, head in fields]
    for name in having(table, wish.columns):
        words = not pd.api.types.is_numeric_dtype(table[name])
        found.append(Column(name, name, align="left" if words else "right", part="extra"))
    return tuple(found)


def having(table: pd.DataFrame, names: Sequence[str]) -> Sequence[str]:
    """Return these columns if the table has them all; else say which there are."""
    if missing := [name for name in names if name not in table]:
        there = ", ".join(map(str, table.columns))
        raise EvidenceError(f"there is no column `{missing[0]}`; the columns are {there}")
    return names


def totals(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the size of an arm where only events and others are given."""
    for total, parts in (("n1i", ("ai", "bi")), ("n2i", ("ci", "di")), ("ni", ("xi", "mi"))):
        if total not in table and all(name in table for name in parts):
            table = table.assign(**{total: table[parts[0]] + table[parts[1]]})
    return table


def _texts(table: pd.DataFrame, column: Column) -> list[str]:
    """Return a column as it is printed: counts whole, means with the decimals they have."""
    if column.part == "extra":
        return ["" if pd.isna(value) else _plain(value) for value in table[column.key]]
    if "/" in column.key:
        top, bottom = (table[name].tolist() for name in column.key.split("/"))
        return [_count(a) + " / " + _count(n) for a, n in zip(top, bottom, strict=True)]
    values = table[column.key].astype(float).tolist()
    if column.head in _SUMMED:
        return [_count(value) for value in values]
    digits = max(
        (len(f"{value:.2f}".rstrip("0").split(".")[1]) for value in values if math.isfinite(value)), default=0
    )
    return [number(value, digits) if math.isfinite(value) else "" for value in values]


def _plain(value: object) -> str:
    return f"{value:g}".replace("-", "−") if isinstance(value, float) else str(value)


def _count(value: float) -> str:
    return whole(float(value)) if pd.notna(value) else ""


def _sums(table: pd.DataFrame, columns: tuple[Column, ...]) -> dict[str, str]:
    """Return what adds up: events and people."""
    sums = {}
    for column in columns:
        names = column.key.split("/") if column.part == "arms" else []
        if names and (column.head in _SUMMED or len(names) > 1) and table[names].notna().all(axis=None):
            sums[column.key] = " / ".join(whole(float(table[name].sum())) for name in names)
    return sums


def _lights(table: pd.DataFrame, rob: pd.DataFrame | None) -> list[dict[str, str]]:
    """Return the judgements of each study by domain: those of the result shown, else of the whole study."""
    if rob is None:
        return [{} for _ in range(len(table))]
    for name in ("study", "domain", "judgement"):
        if name not in rob:
            raise EvidenceError(
                f"the table of bias has no column `{name}`; it needs study, domain and judgement"
            )
    judged: dict[str, list[tuple[object, str, str]]] = {}
    parts = rob["result"] if "result" in rob else pd.Series(None, rob.index, dtype=object)
    for study, part, domain, word in zip(rob["study"], parts, rob["domain"], rob["judgement"], strict=True):
        judged.setdefault(str(study), []).append((None if pd.isna(part) else part, str(domain), str(word)))
    names = [table[name].astype(str) for name in ("study", "slab") if name in table]
    results = table["result"] if "result" in table else [None] * len(table)
    found = []
    for *keys, result in zip(*names, results, strict=True):
        own = [line for key in dict.fromkeys(keys) for line in judged.get(key, ())]
        if result is not None:
            whole_study = [line for line in own if line[0] is None]
            own = whole_study + [line for line in own if line[0] is not None and line[0] == result]
        found.append({domain: word for _, domain, word in own})
    return found


def _domains(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the domains of all rows in their order, the overall judgement last."""
    seen = dict.fromkeys(domain for row in rows for domain in row.lights)
    return tuple(sorted(seen, key=lambda domain: domain == "overall"))


def _heterogeneity(pooled: Pooled, wish: Wish) -> Iterator[str]:
    """Yield what the studies differ by, and the test of the pooled effect."""
    parts = []
    if pooled.tau2 is not None and wish.spread:
        limits = pooled.tau2_ci
        within = f", {100 * pooled.level:g}% CI {number(limits[0])} to {number(limits[1])}" if limits else ""
        parts.append(f"τ² = {number(pooled.tau2)} ({pooled.method}{within})")
    if pooled.q is not None:
        p = probability(pooled.q_p_value, lead=wish.lead)
        parts.append(f"χ² = {pooled.q:.2f}, df = {pooled.q_df} ({p})")
    if pooled.i2 is not None:
        parts.append(f"I² = {pooled.i2:.0f}%" + (" (from τ²)" if pooled.tau2 is not None else ""))
    if parts:
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
