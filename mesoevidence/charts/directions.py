"""What cannot be pooled: effect direction plots and harvest plots."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import pandas as pd

from mesoevidence.bodies import analysed, label_of, result_of, synthesis_of
from mesoevidence.charts import kit, lights
from mesoevidence.charts.axis import whole
from mesoevidence.charts.chart import Chart, having, ledger_of, sentence
from mesoevidence.charts.grid import Box, Part, grid
from mesoevidence.charts.kit import Sheet, Width, printing, width_of
from mesoevidence.evidence import Evidence
from mesoevidence.ledger import Ledger
from mesoevidence.measures import numbers
from mesoevidence.model import Include, Result, Study
from mesoevidence.problems import EvidenceError
from mesoevidence.targets import directions
from mesoevidence.vocabulary import DESIGNS

# What a direction means, and its colour; the mark tells it where colour does not.
MEANINGS = MappingProxyType(
    {"better": (kit.BLUE, "Better with the intervention"),
    "none": (kit.GRID, "No clear difference"), "mixed": (kit.YELLOW, "Mixed"),
    "worse": (kit.VERMILLION, "Worse with the intervention"),
    "unknown": (kit.WHITE, "Direction not told")}
)  # fmt: skip
_SIZES = ((0, 0.052, "under 50 people"), (50, 0.075, "50 to 300"), (301, 0.1, "over 300"))
_RANDOM = ("rct", "rct-cluster", "rct-crossover", "rct-within-person", "quasi-rct")
_CONTROLLED = ("nonrandomised-trial", "nonrandomised-within-person", "cohort", "case-control")
_HEIGHTS = MappingProxyType({3: "randomised", 2: "controlled, not randomised", 1: "no control group"})
_BAR = 0.26  # inches: the height of a bar for each step of design
_DERIVED = (", by its interval", ", by its means")
_NOTE = "Directions are counted whatever their p-values were; they say nothing of how large an effect is."


def effect_direction(
    data: Evidence | pd.DataFrame, synthesis: str | Sequence[str] = (), *, width: Width = "natural",
    grey: bool = False, title: str | None = None, rows_a_page: int = 40,
) -> Chart:  # fmt: skip
    """Draw in which direction each study points, where effects cannot be pooled.

    Parameters
    ----------
    data : Evidence or DataFrame
        The evidence; or a row for each finding with `study`, `outcome` and `direction` (increase, decrease,
        no-difference, mixed), and if known `better` (higher, lower), `n`, `design`, `bias`, and `kind`, the
        design that sets the height of its bar in a harvest plot where it is not `design`.
    synthesis : str or sequence of str
        The syntheses of the evidence to show, each a column.
    width, grey, title, rows_a_page
        As in `forest`; a narrow page leaves out designs, then people.

    Returns
    -------
    Chart
        Arrows up where the outcome is better with the intervention, their size by people studied; a sign
        test below.

    Raises
    ------
    EvidenceError
        When nothing is named, or nothing is there to show.

    Notes
    -----
    Boon and Thomson (2021), Res Synth Methods 12:29. The sign test is exact and two-sided, and leaves out
    studies without a clear direction (Cochrane Handbook, chapter 12). A result recorded without a direction
    has that of its printed interval, where this lies on one side of no effect, or else of the means of its
    two arms; the chart then says so.

    Examples
    --------
    >>> import mesoevidence as me
    >>> effect_direction(me.load(), "skin-hydration-direction")
    <Chart: Directions of 5 studies. Hydration of the skin measured by an instrument: 5 better, 0 worse...>
    """
    findings, size = _findings(data, synthesis), printing(width)
    outcomes = list(dict.fromkeys(findings["outcome"]))
    studies = [part.to_dict("records") for _, part in findings.groupby("study", sort=False)]
    cell = 1.0 if size.width is None else min(1.2, 0.45 * size.width / len(outcomes))
    parts = [Part((outcome,), cell, partial(_arrows, outcome=outcome), 0, 0.1) for outcome in outcomes]
    if findings["n"].notna().any():
        parts.append(Part(("People",), 0.5, _people, 1))
    if findings["bias"].notna().any():
        parts.append(Part(("Risk of bias",), 0.45, _light))
    if designs := [width_of(str(text), size.note) for text in findings["design"].dropna()]:
        parts.append(Part(("Design",), max(*designs, 0.48) + 0.02, _design, 2))

    def below(sheet: Sheet, y: float, wide: float, _: Sequence[Box]) -> float:
        y = _arrow_legend(sheet, findings, y, wide)
        return lights.legend(sheet, y, wide, filter(None, findings["bias"]))

    tests = [_signed(findings, outcome) for outcome in outcomes]
    figures = grid(
        studies, lambda rows: str(rows[0]["study"]), "Study", parts, size, below=below,
        notes=(*tests, *_notes(findings)), grey=grey, rows_a_page=rows_a_page,
    )  # fmt: skip
    alt = _alt("Directions", findings, tests)
    return Chart(figures, findings, title or "Effect directions", alt, _words(findings))


def harvest(
    data: Evidence | pd.DataFrame, synthesis: str | Sequence[str] = (), *, width: Width = "natural",
    grey: bool = False, title: str | None = None,
) -> Chart:  # fmt: skip
    """Draw a harvest plot: a bar for each study on the side it speaks for.

    Parameters
    ----------
    data, synthesis
        As in `effect_direction`.
    width, grey, title
        As in `forest`.

    Returns
    -------
    Chart
        A panel for each outcome; bars are higher for designs that suit the question better, and coloured
        by risk of bias.

    Raises
    ------
    EvidenceError
        When nothing is named, or the bars do not fit on the page.

    Notes
    -----
    Ogilvie et al. (2008), BMC Med Res Methodol 8:8.

    Examples
    --------
    >>> import mesoevidence as me
    >>> harvest(me.load(), "skin-hydration-direction")
    <Chart: Harvest plot of 5 studies. Hydration of the skin measured by an instrument: 5 better, 0 worse...>
    """
    findings, sheet = _findings(data, synthesis), Sheet(printing(width), grey)
    outcomes = list(dict.fromkeys(findings["outcome"]))
    counts = pd.crosstab(findings["outcome"], findings["meaning"])
    sides = ["worse", "none", "better", *(name for name in ("mixed", "unknown") if name in counts)]
    most = counts.reindex(columns=sides, fill_value=0).max().clip(lower=1)
    size, between = sheet.printing.note, 2 * kit.PAD + 0.12 * (len(sides) - 1)
    least = [max(width_of(word, size, True) for word in _side(side).split(" ")) for side in sides]
    pitch = 0.35
    wide = [max(pitch * n, need) for n, need in zip(most, least, strict=True)]
    page = sheet.printing.width or max(6.4, sum(wide) + between)
    room = page - between
    while pitch > size * 0.02 and sum(wide) > room:
        pitch *= 0.98
        wide = [max(pitch * n, need) for n, need in zip(most, least, strict=True)]
    spare = (room - sum(wide)) / len(sides)
    if spare < 0:
        raise EvidenceError("the bars of this harvest plot do not fit; take a wider page or fewer outcomes")
    y = kit.PAD
    rooms = {side: part + spare for side, part in zip(sides, wide, strict=True)}
    for _, own in findings.groupby("outcome", sort=False):
        y = _panel(sheet, own, rooms, pitch, y)
    y = lights.legend(sheet, y, page, filter(None, findings["bias"]))
    heights = sorted({*map(_height, findings["kind"])}, reverse=True)
    bars = f"Height of bars, from high to low: {'; '.join(_HEIGHTS[n] for n in heights)}."
    tests = [_signed(findings, outcome) for outcome in outcomes]
    y = sheet.notes((bars, *tests, *_notes(findings)), y, page)
    figure, alt = sheet.figure(page, y + kit.PAD / 2), _alt("Harvest plot", findings, tests)
    return Chart((figure,), findings, title or "Harvest plot", alt, _words(findings))


# What the studies say -----------------------------------------------------------------------------


def _findings(data: Evidence | pd.DataFrame, synthesis: str | Sequence[str]) -> pd.DataFrame:
    """Return a row for each finding with what its direction means."""
    if isinstance(data, pd.DataFrame):
        having(data, ["study", "outcome", "direction"])
        frame = data
    else:
        ledger = ledger_of(data)
        named = [synthesis] if isinstance(synthesis, str) else list(synthesis)
        if not named:
            raise EvidenceError("name the syntheses to show: effect_direction(evidence, 'its-id')")
        frame = pd.DataFrame([row for name in named for row in _included(ledger, name)])
    if frame.empty:
        raise EvidenceError("there is no finding to show")
    names = ["study", "outcome", "direction", "better", "n", "bias", "design", "kind"]
    frame = frame.reindex(columns=names).astype(object)
    frame = frame.where(frame.notna(), None)
    people = numbers(frame, "n")
    if ((people < 0) | (people == math.inf)).any():
        raise EvidenceError("the column `n` holds what can be no count of people: below 0, or without end")
    words = [None if word is None else str(word) for word in frame["bias"]]
    frame["bias"] = pd.Series(words, frame.index, dtype=object)
    frame["kind"] = frame["kind"].where(frame["kind"].notna(), frame["design"])
    labels = [DESIGNS[name].label if name in DESIGNS else name for name in frame["design"]]
    frame["design"] = pd.Series(labels, frame.index, dtype=object)
    frame["meaning"] = list(map(_meaning, frame["direction"], frame["better"]))
    for name in ("study", "outcome"):
        frame[name] = [kit.clean(text) or "□" for text in frame[name]]
    return frame


def _included(ledger: Ledger, name: str) -> list[dict[Any, Any]]:
    """Return the findings that a synthesis includes."""
    record = synthesis_of(ledger, name)
    outcome = ledger.outcomes.get(record.pico.outcome or "")
    rows: list[dict[Any, Any]] = []
    for line, direction in zip(record.include, directions(ledger, record), strict=True):
        study, result = ledger.studies.get(line.study), result_of(line, ledger)
        if study and result:
            rows.append({
                "study": label_of(ledger, study.id), "outcome": outcome.label if outcome else name,
                "direction": _told(line, result, direction), "better": outcome.better if outcome else None,
                "n": analysed(line, ledger), "bias": _bias(study, line.result), "design": study.design,
            })  # fmt: skip
    return rows


def _told(line: Include, result: Result, found: str | None) -> str | None:
    """Return the direction recorded, else that of the printed interval, else of the means of two arms."""
    if result.direction or found:
        return result.direction or f"{found}{_DERIVED[0]}"
    arms = [*line.intervention, *line.comparator] if len(line.intervention) == 1 else []
    means = [result.values[arm].mean for arm in arms if arm in result.values]
    known = [mean for mean in means if mean is not None]
    if result.effect or len(arms) != 2 or len(known) != 2 or known[0] == known[1]:
        return None
    return f"{'increase' if known[0] > known[1] else 'decrease'}{_DERIVED[1]}"


def _notes(findings: pd.DataFrame) -> tuple[str, ...]:
    """Return what is to be known of the directions, also where they were not recorded as such."""
    derived = findings["direction"].astype(str).str.endswith(_DERIVED).any()
    said = "A direction not recorded is that of the means, or of an interval on one side of no effect."
    return (_NOTE, said) if derived else (_NOTE,)


def _bias(study: Study, result: str) -> str | None:
    """Return the overall risk of bias of a result, else of the whole study."""
    found = {item.result: item.overall.judgement for item in study.rob}
    return found.get(result, found.get(None))


def _meaning(direction: str | None, better: str | None) -> str:
    """Return what a direction means; where it is not known which way is better, up is better."""
    way = str(direction)
    for how in _DERIVED:
        way = way.removesuffix(how)
    if way in ("increase", "decrease"):
        return "better" if (way == "increase") == (better != "lower") else "worse"
    return {"no-difference": "none", "mixed": "mixed"}.get(way, "unknown")


def _signed(findings: pd.DataFrame, outcome: str) -> str:
    """Return how many findings of an outcome point which way, with an exact two-sided sign test."""
    own = findings["meaning"][findings["outcome"] == outcome]
    up, down = int((own == "better").sum()), int((own == "worse").sum())
    rest, n = len(own) - up - down, up + down
    tail = sum(math.comb(n, k) for k in range(max(up, down), n + 1)) / 2**n
    test = f"sign test p\u00a0=\u00a0{min(1.0, 2 * tail):.3f}" if n else "no sign test"
    return f"{outcome}: {up} better, {down} worse, {rest} without a clear direction; {test}."


def _alt(chart: str, findings: pd.DataFrame, tests: Sequence[str]) -> str:
    """Return a chart of directions in a sentence."""
    n = findings["study"].nunique()
    return sentence(" ".join([f"{chart} of {n} {'study' if n == 1 else 'studies'}.", *tests]))


def _words(findings: pd.DataFrame) -> tuple[str, ...]:
    """Return each finding in words."""
    return tuple(
        f"{row['study']}, {row['outcome']}: {MEANINGS[row['meaning']][1]}"
        + (f", {whole(row['n'])} people" if row["n"] is not None else "")
        + (f", risk of bias {row['bias']}" if row["bias"] else "")
        + "".join(how for how in _DERIVED if str(row["direction"]).endswith(how))
        for row in findings.to_dict("records")
    )


# Drawing ------------------------------------------------------------------------------------------


def _mark(sheet: Sheet, x: float, y: float, meaning: str, n: float | None) -> None:
    """Draw the mark of a direction, its size by people: small and hollow where their number is not known."""
    r, colour = max(size for least, size, _ in _SIZES if (n or 0) >= least), MEANINGS[meaning][0]
    fill, edge, wide = (kit.WHITE, colour, 1.2) if n is None else (colour, kit.INK, 0.6)
    if meaning in ("better", "worse"):
        up = 1 if meaning == "better" else -1
        outline = [(x, y - r * up), (x + r, y + 0.8 * r * up), (x - r, y + 0.8 * r * up)]
        sheet.shape(outline, fill, edge, wide, name=meaning)
    elif meaning == "unknown":
        sheet.text(x, y, "?", sheet.printing.note, align="center", colour=kit.MUTED)
    else:
        for side in (-1, 1):
            gap = x + side * 0.015
            outline = [(gap, y - r), (gap + side * r, y), (gap, y + r)]
            sheet.shape(outline, fill, name=meaning)
        if meaning == "mixed":
            sheet.line([(x, y - r), (x, y + r)], kit.INK, 1.0, layer=kit.OVER, name="mixed-bar")


def _arrows(sheet: Sheet, rows: Sequence[Mapping[str, Any]], box: Box, outcome: str) -> None:
    """Draw the findings of an outcome beside each other."""
    own = [row for row in rows if row["outcome"] == outcome]
    for place, row in enumerate(own):
        x = box.middle[0] + (place - (len(own) - 1) / 2) * 0.24
        _mark(sheet, x, box.middle[1], row["meaning"], row["n"])
    if not own:
        sheet.text(*box.middle, "–", sheet.printing.note, align="center", colour=kit.MUTED)


def _people(sheet: Sheet, rows: Sequence[Mapping[str, Any]], box: Box) -> None:
    known = [row["n"] for row in rows if row["n"] is not None]
    sheet.text(*box.middle, whole(max(known)) if known else "?", sheet.printing.note, align="center")


def _light(sheet: Sheet, rows: Sequence[Mapping[str, Any]], box: Box) -> None:
    worst = lights.ordered({row["bias"] for row in rows if row["bias"]})
    if worst:
        lights.draw(sheet, *box.middle, sheet.printing.note * 0.0105, worst[-1])


def _design(sheet: Sheet, rows: Sequence[Mapping[str, Any]], box: Box) -> None:
    sheet.text(box.left, box.middle[1], rows[0]["design"] or "", sheet.printing.note)


def _arrow_legend(sheet: Sheet, findings: pd.DataFrame, y: float, wide: float) -> float:
    """Explain marks and sizes; return the y below."""
    shown: list[tuple[str, float | None, str]] = [
        *((name, 100, text) for name, (_, text) in MEANINGS.items() if name in set(findings["meaning"])),
        *(("better", least, text) for least, _, text in _SIZES),
        *([("better", None, "number not known")] if findings["n"].isna().any() else []),
    ]
    entries = ((partial(_mark, sheet, meaning=name, n=n), text) for name, n, text in shown)
    return sheet.legend(entries, y, wide, 0.2)


def _height(kind: str | None) -> int:
    """Return how well a design suits a question of effect: 3, 2 or 1."""
    name = {facts.label: name for name, facts in DESIGNS.items()}.get(str(kind), kind)
    return 3 if name in _RANDOM else 2 if name in _CONTROLLED else 1


def _side(side: str) -> str:
    return {"none": "No clear difference", "unknown": "Not told"}.get(side, side.capitalize())


def _panel(sheet: Sheet, own: pd.DataFrame, sides: dict[str, float], pitch: float, y: float) -> float:
    """Draw the bars of one outcome, each side as wide as it says; return the y below."""
    size, name = sheet.printing.note, own["outcome"].iloc[0]
    y = sheet.paragraph(kit.PAD, y + 0.08, name, sum(sides.values()), bold=True) + 0.06
    heads = [kit.wrap(_side(side), room, size, True) for side, room in sides.items()]
    y += max(map(len, heads)) * size * kit.LEADING
    floor, x = y + 3 * _BAR + 0.06, kit.PAD
    names = {name: _short(name, size) for name in own["study"]}
    for (side, room), lines in zip(sides.items(), heads, strict=True):
        sheet.stack(x + room / 2, y - 0.09, lines, 1, size=size, align="center", bold=True)
        sheet.box(x, y, x + room, floor, kit.ZEBRA, name="side")
        sheet.line([(x, floor), (x + room, floor)], kit.INK, 0.9, layer=kit.MARKS, name="floor")
        rows = own[own["meaning"] == side].to_dict("records")
        rows.sort(key=lambda row: -_height(row["kind"]))
        for place, row in enumerate(rows):
            middle = x + room / 2 + (place - (len(rows) - 1) / 2) * pitch
            _bar(sheet, middle, floor, 0.32 * pitch, row)
            name = names[row["study"]]
            down = floor + 0.06 + width_of(name, size) / 2
            sheet.text(middle, down, name, size, align="center", turned=True)
        x += room + 0.12
    return floor + max(width_of(name, size) for name in names.values()) + 0.16


def _bar(sheet: Sheet, middle: float, floor: float, half: float, row: Mapping[Any, Any]) -> None:
    """Draw the bar of a study: its height by design, its colour and sign by risk of bias."""
    look = lights.light(row["bias"]) if row["bias"] else None
    top, fill = floor - _BAR * _height(row["kind"]), look.fill if look else kit.WHITE
    sheet.box(middle - half, top, middle + half, floor, fill, kit.INK, layer=kit.SHAPES, name="bar")
    if look:
        lights.sign(sheet, middle, top + 0.13, min(half, 0.08), look)


def _short(name: str, size: float) -> str:
    """Return a name that is at most 1.1 inches long."""
    while width_of(name, size) > 1.1:
        name = name.rstrip("…")[:-1].rstrip() + "…"
    return name
