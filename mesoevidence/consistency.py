"""Doubts about what a source printed: numbers of one study that cannot stand together (codes W3xx)."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from mesoevidence.ledger import Ledger
from mesoevidence.model import Effect, PValue, Result, Study, Values
from mesoevidence.printed import (
    Bounds,
    grim_mean,
    grim_percent,
    interval_symmetry,
    p_from_change,
    p_from_counts,
    p_from_interval,
    p_from_means,
    p_misses,
    printed,
)
from mesoevidence.problems import Problem
from mesoevidence.records import Path

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
_FLAG_IT = "keep the count, and flag the percentage"
_SUM = re.compile(r"(?<![\d.])(\d+(?: ?\+ ?\d+)+) ?= ?(\d+)(?![\d.])")
_TOTAL = re.compile(
    r"(?<![\d.,])(\d+) (?:\w+ )?(?:were )?(randomi[sz]ed|allocated|assigned)\b(?! controlled)"
)
_COMPLETED = re.compile(r"(?<![\d.,])(?<!of )(\d+) (?:of \d+ )?(?:\w+ )?completed\b")
_MEANS_TESTS = re.compile(r"not-stated|not stated|\bt\b|t-test|student|welch|\bz\b", re.IGNORECASE)
_COUNTS_TESTS = re.compile(r"not-stated|not stated|chi|fisher|yates|\bz\b|propor", re.IGNORECASE)


def means_are_possible(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """A mean of n whole steps is one that n whole steps can have (W301)."""
    for at, result in enumerate(study.results):
        outcome = ledger.outcomes.get(result.outcome)
        if not outcome or not outcome.step:
            continue
        for arm, values in (result.values or {}).items():
            if values.mean is None or not values.n:
                continue
            nearest = grim_mean(values.mean, values.n, outcome.step)
            if nearest is not None:
                message = f"{values.n} values in steps of {outcome.step} cannot average {values.mean}"
                hint = (
                    f"the nearest mean they can have is {nearest}; look at n, the step and the figure again"
                )
                yield ledger.problem("W301", study.id, ("results", at, "values", arm, "mean"), message, hint)


def percentages_are_of_persons(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """A percentage of persons is that of a whole number of persons (W302)."""
    for at, result in enumerate(study.results):
        outcome = ledger.outcomes.get(result.outcome)
        if not outcome or outcome.type not in ("dichotomous", "ordinal"):
            continue
        for arm, values in (result.values or {}).items():
            yield from _proportion(study, at, arm, values, ledger)
        here = ("results", at, "from", "figures")
        for found in _PERCENT_OF.finditer(result.provenance.figures):
            percent, n = found["percent"], int(found["n"])
            count = grim_percent(percent, n) if n else None
            if count is not None:
                yield ledger.problem("W302", study.id, here, *_no_count(percent, n, count))
        for found in _COUNT_OF.finditer(result.provenance.figures):
            count, n = int(found["count"] or found["count2"]), int(found["n"] or found["n2"])
            percent = found["percent"] or found["percent2"]
            if n and grim_percent(percent, n) is not None:
                message = f"{count} of {n} is {100 * count / n:.2f} %, printed as {percent} %"
                yield ledger.problem("W302", study.id, here, message, _FLAG_IT)
        for found in _SHARE.finditer(result.provenance.figures):
            count, share = int(found["count"]), float(found["percent"])
            near = round(100 * count / share) if share else 0
            if near and not any(_prints(count, n, found["percent"]) for n in (near - 1, near, near + 1)):
                exact = f"of {near} it is {100 * count / near:.2f} %"
                message = f"{count} is {share} % of no whole number: {exact}"
                yield ledger.problem("W302", study.id, here, message, _FLAG_IT)


def _prints(count: int, n: int, percent: str) -> bool:
    """Whether a count of n prints as this percentage."""
    low, high = printed(percent)
    return n >= count and low - 1e-9 <= 100 * count / max(n, 1) <= high + 1e-9


def _proportion(study: Study, at: int, arm: str, values: Values, ledger: Ledger) -> Iterator[Problem]:
    """Check a proportion against its n; without one, against every n up to that of its arm."""
    allocated = study.arms[arm].n if arm in study.arms else None
    if values.proportion is None or values.proportion in (0, 1):
        return
    percent = values.proportion.scaleb(2)
    here = ("results", at, "values", arm, "proportion")
    if values.n:
        count = grim_percent(percent, values.n)
        if count is not None:
            yield ledger.problem("W302", study.id, here, *_no_count(str(percent), values.n, count))
    elif allocated and all(grim_percent(percent, n) is not None for n in range(1, allocated + 1)):
        count = grim_percent(percent, allocated) or 0
        yield ledger.problem("W302", study.id, here, *_no_count(str(percent), allocated, count))


def _no_count(percent: str, n: int, count: int) -> tuple[str, str]:
    exact = float(percent) * n / 100
    message = f"{percent} % of {n} is {exact:.2f} persons; {count} would be {100 * count / n:.2f} %"
    return (
        message,
        "the denominator is another one, or the percentage is no share of persons: do not use as counts",
    )


def p_follows_from_means(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """A p between two arms is one that their means, spreads and numbers can give (W303)."""
    for at, result in enumerate(study.results):
        if not result.p or not _may_be(result.p, _MEANS_TESTS):
            continue
        found = _means_imply(study, result, ledger)
        if found:
            what, implied = found
            yield from _p_problem("W303", study, ("results", at, "p"), result.p, what, implied, ledger)


def _means_imply(study: Study, result: Result, ledger: Ledger) -> tuple[str, Bounds] | None:
    """Return the figures and the p they imply: of two independent arms, or of a mean change."""
    paired = result.paired
    if paired and paired.n and paired.n > 1 and paired.sd:
        what = f"a mean difference of {paired.mean_difference} (SD {paired.sd}, n {paired.n})"
        return what, p_from_change(paired.mean_difference, paired.sd, paired.n)
    arms = list((result.values or {}).values())
    if len(arms) == 1 and len(study.arms) == 1:
        outcome, (one,) = ledger.outcomes.get(result.outcome), arms
        if (
            outcome
            and "change" in outcome.label.lower()
            and one.mean is not None
            and one.sd
            and (one.n or 0) > 1
        ):
            what = f"a mean change of {one.mean} (SD {one.sd}, n {one.n})"
            return what, p_from_change(one.mean, one.sd, one.n or 0)
    if (
        len(arms) != 2
        or study.design not in PARALLEL
        or not all(arm.mean is not None and (arm.n or 0) > 1 for arm in arms)
    ):
        return None
    means, ns = [arm.mean or Decimal(0) for arm in arms], [arm.n or 0 for arm in arms]
    for name in ("sd", "se"):
        spreads = [getattr(arm, name) for arm in arms]
        if all(spreads):
            rows = zip(means, spreads, ns, strict=True)
            what = " v ".join(f"{mean} ({name.upper()} {spread}, n {n})" for mean, spread, n in rows)
            return what, p_from_means(means, spreads, ns, errors=name == "se")
    return None


def p_follows_from_counts(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """A p between two arms is one that their counts can give (W304)."""
    for at, result in enumerate(study.results):
        arms = list((result.values or {}).values())
        if (
            not result.p
            or len(arms) != 2
            or study.design not in PARALLEL
            or not _may_be(result.p, _COUNTS_TESTS)
        ):
            continue
        events = [arm.events for arm in arms if arm.events is not None]
        ns = [arm.n for arm in arms if arm.n]
        if len(events) != 2 or len(ns) != 2 or any(e > n for e, n in zip(events, ns, strict=True)):
            continue
        implied = p_from_counts(events, ns)
        if implied:
            what = f"{events[0]}/{ns[0]} v {events[1]}/{ns[1]}"
            yield from _p_problem("W304", study, ("results", at, "p"), result.p, what, implied, ledger)


def _may_be(p: PValue, tests: re.Pattern[str]) -> bool:
    return p.test is None or bool(tests.search(p.test))


def _p_problem(
    code: str, study: Study, path: Path, p: PValue, what: str, implied: Bounds, ledger: Ledger
) -> Iterator[Problem]:
    factor = p_misses(p, implied)
    if factor is not None:
        low, high = (f"{bound:.2g}" for bound in implied)
        span = f"p = {low}" if low == high else f"p = {low} to {high}"
        message = f"p {p.operator} {p.value}, but {what} gives {span} by the usual tests"
        hint = f"it misses by a factor of {_factor(factor)}: another test, another unit, or a misprint"
        yield ledger.problem(code, study.id, (*path, "value"), message, hint)


def _factor(factor: float) -> str:
    return f"{factor:.1f}" if factor < 1000 else "more than 1000"


def intervals_agree(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """An estimate lies in the middle of its interval on its scale (W305, W307), and p fits both (W306)."""
    for at, result in enumerate(study.results):
        effect = result.effect
        if not effect or not effect.ci or not effect.ci[0] <= effect.estimate <= effect.ci[1]:
            continue  # where the estimate lies outside, E212 says so
        if effect.ci[0] == effect.ci[1]:
            continue
        here = ("results", at, "effect")
        found = _off_centre(study, effect, here, ledger)
        yield from found
        p = effect.p or (result.p if not result.values else None)
        if found or not p or effect.measure not in RATIOS | DIFFERENCES:
            continue
        level = float(effect.level or Decimal("0.95"))
        low, high = effect.ci
        implied = p_from_interval(effect.estimate, low, high, ratio=effect.measure in RATIOS, level=level)
        what = f"{effect.measure} {effect.estimate} ({low} to {high})"
        path = (*here, "p") if effect.p else ("results", at, "p")
        yield from _p_problem("W306", study, path, p, what, implied, ledger)


def _off_centre(study: Study, effect: Effect, here: Path, ledger: Ledger) -> list[Problem]:
    """Return what is wrong with the place of the estimate in its interval."""
    low, high = effect.ci or (effect.estimate, effect.estimate)
    figures = (effect.estimate, low, high)
    path = (*here, "estimate")
    if effect.measure in DIFFERENCES:
        miss = interval_symmetry(*figures)
        if miss <= (0.1 if effect.measure == "RD" else 0.01):
            return []
        message = f"the middle of {low} to {high} is {(low + high) / 2}, not {effect.estimate}"
        hint = f"it misses by {miss:.1%} of the interval's width after rounding: a figure is misprinted"
        return [ledger.problem("W305", study.id, path, message, hint)]
    if effect.measure not in RATIOS or (miss := interval_symmetry(*figures, ratio=True)) <= 0.02:
        return []
    middle = f"{math.sqrt(low * high):.3g}" if low > 0 else "undefined"
    if interval_symmetry(*figures) == 0:
        shown = f"{effect.measure} {effect.estimate} ({low} to {high})"
        message = f"{shown} is symmetric as a difference, not as a ratio"
        hint = f"on the log scale the middle is {middle}: probably a difference in means under a wrong name"
        return [ledger.problem("W307", study.id, path, message, hint)]
    if miss <= 0.1:
        return []
    message = f"the middle of {low} to {high} on the log scale is {middle}, not {effect.estimate}"
    hint = (
        f"it misses by {min(miss, 9.99):.0%} of the interval's width after rounding: a figure is misprinted"
    )
    return [ledger.problem("W305", study.id, path, message, hint)]


def spreads_are_of_persons(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """A spread between persons is not so small that it must be a standard error (W308)."""
    if study.design not in PARALLEL:
        return
    for at, result in enumerate(study.results):
        for path, what, difference, sd, n in _implied_spreads(study, result):
            if not sd or n < 4:
                continue
            apart = abs(difference) / sd
            others = _other_spreads(study, result.outcome, ledger) if 3 <= apart < 5 else []
            narrow = len(others) >= 3 and sd < min(others) / 4
            if (apart >= 5 or narrow) and apart / math.sqrt(n) < 3:
                message = (
                    f"{what} implies a standard deviation of {sd:.2f}: the arms lie {apart:.1f} of them apart"
                )
                hint = f"as a standard error it would be a standard deviation of {sd * math.sqrt(n):.2f}"
                yield ledger.problem("W308", study.id, ("results", at, *path), message, hint)


def _implied_spreads(study: Study, result: Result) -> Iterator[tuple[Path, str, float, float, float]]:
    """Yield where a spread stands, its figures, the difference, the SD and the mean n per arm."""
    analysed = [arm.n for arm in (result.values or {}).values() if arm.n]
    effect, sizes = result.effect, analysed or [arm.n for arm in study.arms.values() if arm.n]
    if effect and effect.measure == "MD" and effect.ci and len(sizes) == len(study.arms) == 2:
        low, high = map(float, effect.ci)
        z = {Decimal("0.9"): 1.645, Decimal("0.99"): 2.576}.get(effect.level or Decimal("0.95"), 1.96)
        sd = (high - low) / (2 * z) / math.sqrt(1 / sizes[0] + 1 / sizes[1])
        what = (
            f"MD {effect.estimate} ({effect.ci[0]} to {effect.ci[1]}) with {sizes[0]} and {sizes[1]} persons"
        )
        yield ("effect", "ci"), what, float(effect.estimate), sd, sum(sizes) / 2
    arms = list((result.values or {}).items())
    if len(arms) == 2 and all(arm.mean is not None and arm.sd and arm.n for _, arm in arms):
        (name, one), (_, two) = arms
        sd = math.sqrt((float(one.sd or 0) ** 2 + float(two.sd or 0) ** 2) / 2)
        what = f"{one.mean} (SD {one.sd}) v {two.mean} (SD {two.sd})"
        yield (
            ("values", name, "sd"),
            what,
            float((one.mean or 0) - (two.mean or 0)),
            sd,
            ((one.n or 0) + (two.n or 0)) / 2,
        )


def _other_spreads(study: Study, outcome: str, ledger: Ledger) -> list[float]:
    """Return the standard deviations that other studies print for an outcome, one a study."""
    found: dict[str, float] = {}
    for other in ledger.studies.values():
        for result in other.results if other.id != study.id else ():
            for values in (result.values or {}).values() if result.outcome == outcome else ():
                if values.sd:
                    found[other.id] = min(float(values.sd), found.get(other.id, math.inf))
    return list(found.values())


def parts_add_up(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """No more are analysed than allocated, and parts give the total that is printed (W309)."""
    sizes = [arm.n for arm in study.arms.values() if arm.n]
    allocated = sum(sizes) if len(sizes) == len(study.arms) >= 2 and study.design in PARALLEL else None
    for at, result in enumerate(study.results):
        figures, place = result.provenance.figures, ("results", at, "from", "figures")
        for arm, values in (result.values or {}).items():
            limit = study.arms[arm].n if arm in study.arms else None
            if values.n and limit is not None and values.n > limit:
                message = f"{values.n} analysed, but {limit} allocated: {values.n - limit} too many"
                hint = "look at both figures again; hairs, lesions or sides are not persons"
                yield ledger.problem("W309", study.id, ("results", at, "values", arm, "n"), message, hint)
        for parts, total in _SUM.findall(figures):
            given = sum(map(int, parts.split("+")))
            if given != int(total):
                message = (
                    f"{' + '.join(part.strip() for part in parts.split('+'))} is {given}, printed as {total}"
                )
                yield ledger.problem("W309", study.id, place, message, "keep what is printed, and flag it")
        for total, word in _TOTAL.findall(figures):
            if allocated and int(total) != allocated:
                message = (
                    f"the arms hold {' + '.join(map(str, sizes))} = {allocated}, but {total} were {word}"
                )
                hint = f"{abs(int(total) - allocated)} missing, or counted twice"
                yield ledger.problem("W309", study.id, place, message, hint)
        yield from _completers(study, result, at, ledger)


def _completers(study: Study, result: Result, at: int, ledger: Ledger) -> Iterator[Problem]:
    """Check that an analysis of completers holds as many as are said to have completed."""
    found = _COMPLETED.findall(result.provenance.figures)
    ns = [values.n for values in (result.values or {}).values() if values.n]
    if result.analysed != "completers" or len(found) != 1 or not ns or len(ns) != len(study.arms):
        return
    total = sum(ns) if study.design in PARALLEL else max(ns)
    if total != int(found[0]):
        message = f"{found[0]} completed, but {total} are in this analysis of completers"
        hint = f"they differ by {abs(total - int(found[0]))}; say in `analysed` who was analysed"
        yield ledger.problem("W309", study.id, ("results", at, "from", "figures"), message, hint)


CHECKS: Sequence[Callable[[Study, Ledger], Iterable[Problem]]] = (
    means_are_possible,
    percentages_are_of_persons,
    p_follows_from_means,
    p_follows_from_counts,
    intervals_agree,
    spreads_are_of_persons,
    parts_add_up,
)
