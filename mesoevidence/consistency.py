"""Doubts about what a source printed: numbers of one study that cannot stand together (codes W3xx)."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from mesoevidence import printed
from mesoevidence.ledger import Ledger
from mesoevidence.model import Effect, PValue, Result, Study, Values
from mesoevidence.problems import Found, Path

RATIOS = frozenset(("RR", "OR", "HR", "IRR", "ROM"))
DIFFERENCES = frozenset(("MD", "SMD", "RD", "GEN"))
# Designs whose arms hold different persons, each counted once.
PARALLEL = frozenset(("rct", "quasi-rct", "nonrandomised-trial", "cohort", "case-control", "cross-sectional"))
_PERCENT_OF = re.compile(r"(?<![\d.])(?P<percent>\d+(?:\.\d+)?) ?% of (?P<n>\d+)(?![\d.,])")
_COUNT_OF = re.compile(
    r"(?<![\d./])(?P<count>\d+) ?/ ?(?P<n>\d+) ?\((?P<percent>\d+(?:\.\d+)?) ?%\)"
    r"|(?<![\d.])(?P<count2>\d+) (?:\w+ )?\((?P<percent2>\d+(?:\.\d+)?) ?%\) of (?P<n2>\d+)(?![\d.,])"
)
# A count with its share, of persons who are not named: "19 (57.5 %), 8 (24.2 %)".
_SHARE = re.compile(r"(?<![\d.,/+-])(?P<count>\d+) \((?P<percent>\d+\.\d+) ?%\)(?! ?of \d)")
_FIGURES: Path = ("from", "figures")
_FLAG_IT = "keep the count, and flag the percentage"
_NO_SHARE = "the denominator is another one, or the percentage is no share of persons: do not use as counts"
_SUM = re.compile(r"(?<![\d.])(\d+(?: ?\+ ?\d+)+) ?= ?(\d+)(?![\d.])")
_TOTAL = re.compile(
    r"(?<![\d.,])(\d+) (?:\w+ )?(?:were )?(randomi[sz]ed|allocated|assigned)\b(?! controlled)"
)
_COMPLETED = re.compile(r"(?<![\d.,])(?<!of )(\d+) (?:of \d+ )?(?:\w+ )?completed\b")
_MEANS_TESTS = re.compile(r"not-stated|not stated|\bt\b|t-test|student|welch|\bz\b", re.IGNORECASE)
_COUNTS_TESTS = re.compile(r"not-stated|not stated|chi|fisher|yates|\bz\b|propor", re.IGNORECASE)


def means_are_possible(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """A mean of n whole steps is one that n whole steps can have (W301)."""
    outcome = ledger.outcomes.get(result.outcome)
    step = outcome.step if outcome else None
    for arm, values in result.values.items():
        if not step or not values.n or values.mean is None:
            continue
        if (nearest := printed.grim_mean(values.mean, values.n, step)) is not None:
            message = f"{values.n} values in steps of {step} cannot average {values.mean}"
            hint = f"the nearest mean they can have is {nearest}; look at n, the step and the figure again"
            yield Found("W301", ("values", arm, "mean"), message, hint)


def percentages_are_of_persons(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """A percentage of persons is that of a whole number of persons (W302)."""
    outcome = ledger.outcomes.get(result.outcome)
    if not outcome or outcome.type not in ("dichotomous", "ordinal"):
        return
    for arm, values in result.values.items():
        for message in _no_proportion(values, study.arms[arm].n if arm in study.arms else None):
            yield Found("W302", ("values", arm, "proportion"), message, _NO_SHARE)
    for found in _PERCENT_OF.finditer(result.provenance.figures):
        for message in _no_count(found["percent"], int(found["n"])):
            yield Found("W302", _FIGURES, message, _NO_SHARE)
    for message in _no_shares(result.provenance.figures):
        yield Found("W302", _FIGURES, message, _FLAG_IT)


def _no_proportion(values: Values, allocated: int | None) -> Iterator[str]:
    """Check a proportion against its n; without one, against every n up to that of its arm."""
    if values.proportion is None or values.proportion in (0, 1):
        return
    percent, n = values.proportion.scaleb(2), values.n or allocated or 0
    if values.n or all(printed.grim_percent(percent, fewer) is not None for fewer in range(1, n)):
        yield from _no_count(percent, n)


def _no_count(percent: Decimal | str, n: int) -> Iterator[str]:
    """Check that a percentage of n persons is that of a count of them."""
    count = printed.grim_percent(percent, n) if n else None
    if count is not None:
        said = f"{Decimal(percent):f} % of {n} is {float(percent) * n / 100:.2f} persons"
        yield f"{said}; {count} would be {100 * count / n:.2f} %"


def _no_shares(figures: str) -> Iterator[str]:
    """Check that percentages which stand beside a count can be its share."""
    for found in _COUNT_OF.finditer(figures):
        count, n, percent = (found[name] or found[f"{name}2"] for name in ("count", "n", "percent"))
        if int(n) and printed.grim_percent(percent, int(n)) is not None:
            yield f"{count} of {n} is {100 * int(count) / int(n):.2f} %, printed as {percent} %"
    for found in _SHARE.finditer(figures):
        part, share = int(found["count"]), float(found["percent"])
        whole = round(100 * part / share) if share else 0
        near = (n for n in (whole - 1, whole, whole + 1) if n >= part)
        if whole and not any(printed.prints_as(part, n, found["percent"]) for n in near):
            exact = f"of {whole} it is {100 * part / whole:.2f} %"
            yield f"{part} is {share} % of no whole number: {exact}"


def p_follows_from_means(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """A p between two arms is one that their means, spreads and numbers can give (W303)."""
    if result.p and _may_be(result.p, _MEANS_TESTS) and (found := _means_imply(result, study, ledger)):
        yield from _missed("W303", ("p",), result.p, *found)


def _means_imply(result: Result, study: Study, ledger: Ledger) -> tuple[str, printed.Bounds] | None:
    """Return the figures and the p they imply: of a mean change, or of two independent arms."""
    arms, paired = list(result.values.values()), result.paired
    changes: list[tuple[str, Decimal | None, Decimal | None, int | None]] = []
    if paired:
        changes.append(("difference", paired.mean_difference, paired.sd, paired.n))
    outcome = ledger.outcomes.get(result.outcome)
    if len(arms) == len(study.arms) == 1 and outcome and "change" in outcome.label.lower():
        changes.append(("change", arms[0].mean, arms[0].sd, arms[0].n))
    for kind, mean, sd, n in changes:
        if mean is not None and sd and n and n > 1:
            return f"a mean {kind} of {mean} (SD {sd}, n {n})", printed.p_from_change(mean, sd, n)
    if len(arms) != 2 or study.design not in PARALLEL:
        return None
    for name in ("sd", "se"):
        rows = [
            (arm.mean, getattr(arm, name), arm.n)
            for arm in arms
            if arm.mean is not None and getattr(arm, name) and arm.n and arm.n > 1
        ]
        if len(rows) == 2:
            what = " v ".join(f"{mean} ({name.upper()} {spread}, n {n})" for mean, spread, n in rows)
            return what, printed.p_from_means(*zip(*rows, strict=True), errors=name == "se")
    return None


def p_follows_from_counts(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """A p between two arms is one that their counts can give (W304)."""
    arms, p = result.values.values(), result.p
    if p is None or not _may_be(p, _COUNTS_TESTS) or len(arms) != 2 or study.design not in PARALLEL:
        return
    counts = [(arm.events, arm.n) for arm in arms if arm.events is not None and arm.n and arm.events <= arm.n]
    if len(counts) == 2 and (implied := printed.p_from_counts(*zip(*counts, strict=True))):
        what = " v ".join(f"{events}/{n}" for events, n in counts)
        yield from _missed("W304", ("p",), p, what, implied)


def _may_be(p: PValue, tests: re.Pattern[str]) -> bool:
    return p.test is None or bool(tests.search(p.test))


def _missed(code: str, path: Path, p: PValue, what: str, implied: printed.Bounds) -> Iterator[Found]:
    """Check a stated p against those that the figures imply."""
    if (factor := printed.p_misses(p, implied)) is not None:
        low, high = (f"{bound:.2g}" for bound in implied)
        span = f"p = {low}" if low == high else f"p = {low} to {high}"
        message = f"p {p.operator} {p.value}, but {what} gives {span} by the usual tests"
        times = f"{factor:.1f}" if factor < 1000 else "more than 1000"
        hint = f"it misses by a factor of {times}: another test, another unit, or a misprint"
        yield Found(code, (*path, "value"), message, hint)


def intervals_agree(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """An estimate lies in the middle of its interval on its scale (W305, W307), and p fits both (W306)."""
    effect = result.effect
    if not effect or not effect.ci or effect.measure not in RATIOS | DIFFERENCES:
        return
    low, high = effect.ci
    if float(low) == float(high) or not low <= effect.estimate <= high:
        return  # too narrow to reckon with; where the estimate lies outside, E212 says so
    p = effect.p or (None if result.values else result.p)
    if found := _off_centre(effect, low, high):
        yield found
    elif p:
        ratio, level = effect.measure in RATIOS, float(effect.level or 0.95)
        implied = printed.p_from_interval(effect.estimate, low, high, ratio=ratio, level=level)
        what = f"{effect.measure} {effect.estimate} ({low} to {high})"
        yield from _missed("W306", ("effect", "p") if effect.p else ("p",), p, what, implied)


def _off_centre(effect: Effect, low: Decimal, high: Decimal) -> Found | None:
    """Return what is wrong with the place of the estimate in its interval."""
    figures, path = (effect.estimate, low, high), ("effect", "estimate")
    hint = "it misses by {} of the interval's width after rounding: a figure is misprinted"
    if effect.measure in DIFFERENCES:
        miss = printed.interval_symmetry(*figures)
        if miss <= (0.1 if effect.measure == "RD" else 0.01):
            return None
        message = f"the middle of {low} to {high} is {(low + high) / 2}, not {effect.estimate}"
        return Found("W305", path, message, hint.format(f"{miss:.1%}"))
    miss = printed.interval_symmetry(*figures, ratio=True)
    middle = f"{math.sqrt(low * high):.3g}" if low > 0 else "undefined"
    if miss > 0.02 and printed.interval_symmetry(*figures) == 0:
        shown = f"{effect.measure} {effect.estimate} ({low} to {high})"
        message = f"{shown} is symmetric as a difference, not as a ratio"
        hint = f"on the log scale the middle is {middle}: probably a difference in means under a wrong name"
        return Found("W307", path, message, hint)
    if miss <= 0.1:
        return None
    message = f"the middle of {low} to {high} on the log scale is {middle}, not {effect.estimate}"
    return Found("W305", path, message, hint.format(f"{min(miss, 9.99):.0%}"))


def spreads_are_of_persons(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """A spread between persons is not so small that it must be a standard error (W308)."""
    for path, what, difference, sd, n in _implied_spreads(result, study):
        if study.design not in PARALLEL or not sd or n < 4:
            continue
        apart = abs(difference) / sd
        others = _other_spreads(study, result.outcome, ledger) if 3 <= apart < 5 else []
        narrow = len(others) >= 3 and sd < min(others) / 4
        if (apart >= 5 or narrow) and apart / math.sqrt(n) < 3:
            message = f"{what} implies a standard deviation of {sd:.2f}"
            hint = f"as a standard error it would be a standard deviation of {sd * math.sqrt(n):.2f}"
            yield Found("W308", path, f"{message}: the arms lie {apart:.1f} of them apart", hint)


def _implied_spreads(result: Result, study: Study) -> Iterator[tuple[Path, str, float, float, float]]:
    """Yield where a spread stands, its figures, the difference, the SD and the mean n per arm."""
    analysed = [arm.n for arm in result.values.values() if arm.n]
    effect, sizes = result.effect, analysed or [arm.n for arm in study.arms.values() if arm.n]
    if effect and effect.measure == "MD" and effect.ci and len(sizes) == len(study.arms) == 2:
        low, high = effect.ci
        z = {Decimal("0.9"): 1.645, Decimal("0.99"): 2.576}.get(effect.level or Decimal("0.95"), 1.96)
        sd = float(high - low) / (2 * z) / math.sqrt(1 / sizes[0] + 1 / sizes[1])
        what = f"MD {effect.estimate} ({low} to {high}) with {sizes[0]} and {sizes[1]} persons"
        yield ("effect", "ci"), what, float(effect.estimate), sd, sum(sizes) / 2
    arms = [
        (name, arm.mean, arm.sd, arm.n)
        for name, arm in result.values.items()
        if arm.mean is not None and arm.sd and arm.n
    ]
    if len(arms) == len(result.values) == 2:
        (name, mean, one, n), (_, other, two, m) = arms
        sd = math.sqrt((float(one) ** 2 + float(two) ** 2) / 2)
        what = f"{mean} (SD {one}) v {other} (SD {two})"
        yield ("values", name, "sd"), what, float(mean - other), sd, (n + m) / 2


def _other_spreads(study: Study, outcome: str, ledger: Ledger) -> list[float]:
    """Return the standard deviations that other studies print for an outcome, the least of each study."""
    found = []
    for other in ledger.studies.values():
        same = [result for result in other.results if result.outcome == outcome and other.id != study.id]
        spreads = [float(values.sd) for result in same for values in result.values.values() if values.sd]
        found += [min(spreads)] if spreads else []
    return found


def parts_add_up(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """No more are analysed than allocated, and parts give the total that is printed (W309)."""
    for arm, values in result.values.items():
        limit = study.arms[arm].n if arm in study.arms else None
        if values.n and limit is not None and values.n > limit:
            message = f"{values.n} analysed, but {limit} allocated: {values.n - limit} too many"
            hint = "look at both figures again; hairs, lesions or sides are not persons"
            yield Found("W309", ("values", arm, "n"), message, hint)
    for sum_of, total in _SUM.findall(result.provenance.figures):
        parts = [part.strip() for part in sum_of.split("+")]
        if (given := sum(map(int, parts))) != int(total):
            message = f"{' + '.join(parts)} is {given}, printed as {total}"
            yield Found("W309", _FIGURES, message, "keep what is printed, and flag it")
    sizes = [arm.n for arm in study.arms.values() if arm.n]
    allocated = sum(sizes) if len(sizes) == len(study.arms) >= 2 and study.design in PARALLEL else None
    for total, word in _TOTAL.findall(result.provenance.figures):
        if allocated and int(total) != allocated:
            message = f"the arms hold {' + '.join(map(str, sizes))} = {allocated}, but {total} were {word}"
            hint = f"{abs(int(total) - allocated)} missing, or counted twice"
            yield Found("W309", _FIGURES, message, hint)
    yield from _completers(result, study)


def _completers(result: Result, study: Study) -> Iterator[Found]:
    """Check that an analysis of completers holds as many as are said to have completed."""
    found = _COMPLETED.findall(result.provenance.figures)
    ns = [values.n for values in result.values.values() if values.n]
    if result.analysed != "completers" or len(found) != 1 or not ns or len(ns) != len(study.arms):
        return
    total = sum(ns) if study.design in PARALLEL else max(ns)
    if total != int(found[0]):
        message = f"{found[0]} completed, but {total} are in this analysis of completers"
        hint = f"they differ by {abs(total - int(found[0]))}; say in `analysed` who was analysed"
        yield Found("W309", _FIGURES, message, hint)


CHECKS: tuple[Callable[[Result, Study, Ledger], Iterable[Found]], ...] = (
    means_are_possible,
    percentages_are_of_persons,
    p_follows_from_means,
    p_follows_from_counts,
    intervals_agree,
    spreads_are_of_persons,
    parts_add_up,
)
