"""Risk of bias at a glance: a light for every study and domain, and bars that count them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from mesoevidence.appraisal import NOT_ASSESSED, TOOLS
from mesoevidence.bodies import label_of
from mesoevidence.charts import kit, lights
from mesoevidence.charts.chart import Chart, having, sentence
from mesoevidence.charts.grid import Box, Part, grid
from mesoevidence.charts.kit import Sheet, Width, printing, width_of
from mesoevidence.evidence import Evidence
from mesoevidence.problems import EvidenceError

Row = tuple[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """Judgements by one tool: a row a study, its judgement by domain, and the domains with their labels."""

    key: str
    rows: tuple[Row, ...]
    domains: Mapping[str, str]

    @property
    def tool(self) -> str:
        """The name of the tool."""
        return TOOLS[self.key].label if self.key in TOOLS else self.key or "own domains"

    @property
    def short(self) -> dict[str, str]:
        """What stands over the column of each domain."""
        return {key: "O" if key == "overall" else f"D{n}" for n, key in enumerate(self.domains, 1)}

    @property
    def lines(self) -> list[Row]:
        """The rows, with judgements by column instead of domain."""
        return [(label, {self.short[key]: word for key, word in own.items()}) for label, own in self.rows]

    @property
    def used(self) -> list[str]:
        """Every judgement there is, from best to worst."""
        return lights.ordered(word for _, judged in self.rows for word in judged.values())

    @property
    def alt(self) -> str:
        """The whole in a sentence."""
        overall = Counter(judged["overall"] for _, judged in self.rows if "overall" in judged)
        tally = [f"{overall[word]} {lights.light(word).word.lower()}" for word in lights.ordered(overall)]
        studies = "study" if len(self.rows) == 1 else "studies"
        said = f" Overall: {', '.join(tally)}." if tally else ""
        return sentence(f"Risk of bias ({self.tool}) of {len(self.rows)} {studies}.{said}")


def judged_by(data: Evidence | pd.DataFrame, tool: str | None) -> list[Judged]:
    """Return the judgements of the tool that is named, else of each tool there is."""
    table = data.table("risk_of_bias") if isinstance(data, Evidence) else data
    if gaps := [name for name in having(table, ["study", "domain", "judgement"]) if table[name].isna().any()]:
        raise EvidenceError(f"a row has no `{gaps[0]}`; what was not judged is {NOT_ASSESSED}")
    tools = table["tool"].fillna("") if "tool" in table else pd.Series(tool or "", table.index)
    results = table["result"].fillna("") if "result" in table else ""
    table = table.assign(tool=tools.astype(str), result=results)
    table = table[table["tool"] == tool] if tool else table
    if table.empty:
        raise EvidenceError(f"nothing was judged with {tool}" if tool else "nothing was judged yet")
    ledger = data.ledger if isinstance(data, Evidence) else None
    names = {study: label_of(ledger, study) for study in ledger.studies} if ledger else {}
    return [_judged(str(key), part.astype(str), names) for key, part in table.groupby("tool", sort=False)]


def _judged(key: str, table: pd.DataFrame, names: Mapping[str, str]) -> Judged:
    """Return the judgements of one tool, in the order of the table; domains in the order of the tool."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    columns = (table[name] for name in ("study", "result", "domain", "judgement"))
    for study, part, domain, word in zip(*columns, strict=True):
        confident = key == "amstar2" and domain == "overall" and word != NOT_ASSESSED
        rows.setdefault((study, part), {})[domain] = f"{word}-confidence" if confident else word
    known = TOOLS[key].domains if key in TOOLS else {}
    order = sorted(
        dict.fromkeys(domain for judged in rows.values() for domain in judged),
        key=lambda name: (name == "overall", [*known, name].index(name)),
    )
    often = Counter(study for study, _ in rows)
    labelled = (
        (names.get(study, study) + (f" ({part or 'whole study'})" if often[study] > 1 else ""), judged)
        for (study, part), judged in rows.items()
    )
    domains = {name: known.get(name, name.replace("-", " ").capitalize()) for name in order}
    return Judged(key, tuple(labelled), domains)


def traffic_light(
    data: Evidence | pd.DataFrame, *, tool: str | None = None, width: Width = "natural", grey: bool = False,
    title: str | None = None, rows_a_page: int = 40, palette: str = "own",
) -> Chart:  # fmt: skip
    """Draw a light for every study and domain of bias.

    Parameters
    ----------
    data : Evidence or DataFrame
        Evidence, or a table like ``evidence.table("risk_of_bias")``: `study`, `domain`, `judgement`, and
        where there are several `tool` and `result`.
    tool : str, optional
        A name in ``appraisal.TOOLS``; without it, studies judged by different tools stand in blocks, since
        the domains of one are not those of another.
    width : {"natural", "double", "single"}
        As wide as needed, 180 mm or 89 mm.
    grey, title, rows_a_page
        Greys instead of colours; the name of the chart; when to begin a new page.
    palette : {"own", "cochrane"}
        Lights told apart with every sight and in grey, or in the colours that robvis calls "cochrane".

    Returns
    -------
    Chart
        With a key of the domains, and a legend of the levels that occur.

    Examples
    --------
    >>> bias = pd.DataFrame({"study": ["A", "A"], "domain": ["randomisation", "overall"],
    ...                      "judgement": ["low", "high"], "tool": "rob2"})
    >>> traffic_light(bias)
    <Chart: Risk of bias (RoB 2) of 1 study. Overall: 1 high risk.>
    """
    found, size = judged_by(data, tool), printing(width, palette)
    columns = {name for part in found for name in part.short.values()}
    names = sorted(columns, key=lambda name: (name == "O", len(name), name))
    room = (size.width or 99.0) - 2 * kit.PAD - 0.13 * size.body - 0.2
    pitch = min(0.36, max(room / len(names), 0.23))
    parts = [Part((name,), pitch, partial(_light, name=name), gap=0.0) for name in names]
    parts[0] = replace(parts[0], gap=0.12)
    lines = [line for part in found for line in (*([(part.tool, {})] if len(found) > 1 else []), *part.lines)]

    def below(sheet: Sheet, y: float, wide: float, _: Sequence[Box]) -> float:
        """Write what the columns are and what the lights mean."""
        for part in found:
            if len(found) > 1:
                y = sheet.paragraph(kit.PAD, y, part.tool, wide - 2 * kit.PAD, bold=True, colour=kit.MUTED)
            for key, label in part.domains.items():
                sheet.text(kit.PAD, y, part.short[key], size.note, bold=True, colour=kit.MUTED)
                y = sheet.paragraph(kit.PAD + 0.34, y, label, wide - 2 * kit.PAD - 0.34, colour=kit.MUTED)
        return lights.legend(sheet, y + 0.08, wide, (word for part in found for word in part.used))

    figures = grid(
        lines, lambda line: line[0], "Study", parts, size, below=below, grey=grey, rows_a_page=rows_a_page,
        bold=lambda line: not line[1],
    )  # fmt: skip
    frame = pd.DataFrame([
        {**({"tool": part.tool} if len(found) > 1 else {}), "study": label,
         **{part.domains[key]: judged.get(key) for key in part.domains}}
        for part in found for label, judged in part.rows
    ])  # fmt: skip
    rows = tuple(f"{label}: {_heard(judged, part)}" for part in found for label, judged in part.rows)
    alt = sentence(" ".join(part.alt for part in found))
    name = f"Risk of bias ({', '.join(part.tool for part in found)})"
    return Chart(figures, frame, title or name, alt, rows)


def _heard(own: Mapping[str, str], found: Judged) -> str:
    return ", ".join(f"{found.domains[key]} {lights.light(word).word.lower()}" for key, word in own.items())


def _light(sheet: Sheet, line: Row, box: Box, name: str) -> None:
    """Draw a light of a column; the overall one stands on a band."""
    if name == "O":
        sheet.box(*box, kit.BAND)
    if name in line[1]:
        lights.draw(sheet, *box.middle, 0.31 * (box.right - box.left), line[1][name])


def bias_bars(
    data: Evidence | pd.DataFrame, *, tool: str | None = None, weights: Mapping[str, float] | None = None,
    width: Width = "natural", grey: bool = False, title: str | None = None, palette: str = "own",
) -> Chart:  # fmt: skip
    """Draw for each domain how many studies have which risk, as bars that add up to all.

    Parameters
    ----------
    data, tool, width, grey, title, palette
        As in `traffic_light`.
    weights : mapping of study to number, optional
        Weights of one analysis; without them every study counts alike.

    Returns
    -------
    Chart
        Bars with the number of studies, or the percent of the weight, in each part.

    Examples
    --------
    >>> bias = pd.DataFrame({"study": ["A", "B"], "domain": "selection", "judgement": ["low", "high"]})
    >>> bias_bars(bias).data[["judgement", "studies", "percent"]].values.tolist()
    [['low', 1, 50.0], ['high', 1, 50.0]]
    """
    (found, *others), size = judged_by(data, tool), printing(width, palette)
    if others:
        tools = ", ".join(part.key for part in (found, *others))
        raise EvidenceError(f"there are judgements by {tools}; name one with `tool`")
    shares = _shares(found, weights)

    def draw(sheet: Sheet, domain: str, box: Box) -> None:
        x, y = box.left, box.middle[1]
        for word, studies, percent in shares[domain]:
            end, shown = x + percent / 100 * (box.right - box.left), lights.light(word, size.palette)
            sheet.box(x, y - 0.105, end, y + 0.105, shown.fill, kit.INK, layer=kit.SHAPES, name="bar")
            said = f"{percent:.0f}%" if weights else str(studies)
            own, middle = width_of(said, size.body, True), (x + end) / 2
            plain = shown.sign == "none"
            both = end - x > own + 0.18 and not plain
            aside = 0.07 if both else 0.0
            if both or (plain and end - x > own + 0.06):
                sheet.text(middle + aside, y, said, align="center", bold=True, colour=shown.ink)
            if end - x > 0.14 and not plain:  # where one has room it is the light: colour never speaks alone
                lights.draw(sheet, middle - (own / 2 + 0.015 if both else 0.0), y, 0.06, word)
            x = end

    def below(sheet: Sheet, y: float, wide: float, placed: Sequence[Box]) -> float:
        for percent in (0, 25, 50, 75, 100):
            x = placed[0].left + percent / 100 * (placed[0].right - placed[0].left)
            sheet.line([(x, y - 0.16), (x, y - 0.11)], kit.INK, 0.8, name="tick")
            side: kit.Align = "right" if percent == 100 else "center"
            sheet.text(x, y - 0.11 + size.note * 0.0125, f"{percent}%", size.note, align=side)
        return lights.legend(sheet, y + 0.2, wide, found.used)

    bar = Part(("Studies",), 3.6 if size.width is None else 0.55 * size.width, draw)
    figures = grid(list(shares), str, "Domain", [bar], size, below=below, grey=grey)
    rows = [(domain, *share) for domain, given in shares.items() for share in given]
    words = [f"{domain}: {word.replace('-', ' ')} {n} ({part:.0f}%)" for domain, word, n, part in rows]
    name = title or f"Risk of bias by domain ({found.tool})" + (", weighted" if weights else "")
    frame = pd.DataFrame(rows, columns=["domain", "judgement", "studies", "percent"])
    return Chart(figures, frame, name, found.alt, tuple(words))


def _shares(found: Judged, weights: Mapping[str, float] | None) -> dict[str, list[tuple[str, int, float]]]:
    """Return for each domain its judgements with the number of studies and their percent of the weight."""
    if missing := [label for label, _ in found.rows if weights and label not in weights]:
        raise EvidenceError(f"there is no weight of {missing[0]!r}")
    shares: dict[str, list[tuple[str, int, float]]] = {}
    for key, name in found.domains.items():
        given = [(own[key], (weights or {}).get(label, 1.0)) for label, own in found.rows if key in own]
        total = sum(weight for _, weight in given)
        parts = {word: [weight for other, weight in given if other == word] for word in found.used}
        shares[name] = [(word, len(part), 100 * sum(part) / total) for word, part in parts.items() if part]
    return shares
