"""The axis of effects: numbers as printed, limits that show what matters, and ticks that hold the null."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from mesoevidence.charts import kit
from mesoevidence.charts.kit import Sheet, width_of
from mesoevidence.formulas import MEASURES

Interval = tuple[float, float, float]  # estimate and interval, on the scale of computing
Tick = tuple[float, str]

_BACK: MappingProxyType[str, Callable[[float], float]] = MappingProxyType(
    {"identity": float, "exp": math.log, "expit": lambda value: math.log(value / (1 - value)),
    "tanh": math.atanh, "square-sine": lambda value: math.asin(math.sqrt(value))}
)  # fmt: skip
_NOISE = 1e-15  # what arithmetic leaves of a zero
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 2) -> str:
    r"""Return a number as it is printed: a real minus, thin spaces, no 0.00 for what is not zero.

    >>> number(-0.5), number(12345.678), number(0.0012), number(3e-9)
    ('−0.50', '12\u2009346', '0.0012', '3.0×10⁻⁹')
    """
    value = value if abs(value) > _NOISE else 0.0
    size = abs(value)
    if size and (size < 1e-4 or size >= 1e7):
        head, power = f"{value:.1e}".split("e")
        shown = f"{head}×10{str(int(power)).translate(_RAISED)}"
    elif size and size < 0.5 * 10**-digits:
        shown = f"{value:.2g}"
    else:
        shown = f"{value:,.{digits if size < 1000 else 0}f}".replace(",", "\u2009")
    return shown.replace("-", "−")


def whole(value: float) -> str:
    r"""Return a count with thin spaces, or a number that is no count as it is.

    >>> whole(13598.0), whole(7.5)
    ('13\u2009598', '7.5')
    """
    return f"{value:,.0f}".replace(",", "\u2009") if float(value).is_integer() else f"{value:g}"


def probability(value: float | None, *, lead: bool = True) -> str:
    """Return a p-value; `lead` keeps the zero before the point.

    >>> probability(0.0004), probability(0.032, lead=False)
    ('p < 0.001', 'p = .03')
    """
    if value is None:
        return "p not defined"
    if not lead:  # American Medical Association: two decimals, three below 0.01
        return "p < .001" if value < 0.001 else f"p = {value:.{3 if value < 0.01 else 2}f}".replace("0.", ".")
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis between two points of the sheet, its limits and ticks on the scale of computing."""

    low: float
    high: float
    left: float
    right: float
    ticks: tuple[Tick, ...]
    null: float | None

    def x(self, value: float) -> float:
        """Return where a value stands, held within the axis."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    def holds(self, value: float) -> bool:
        """Return whether a value lies on the axis."""
        return self.low <= value <= self.high

    def draw(self, sheet: Sheet, y: float, size: float) -> float:
        """Draw the axis with its ticks at y; return the y below the labels."""
        sheet.line([(self.left, y), (self.right, y)], kit.INK, 0.8, layer=kit.MARKS, name="axis")
        for value, label in self.ticks:
            x = self.x(value)
            sheet.line([(x, y), (x, y + 0.05)], kit.INK, 0.8, layer=kit.MARKS, name="tick")
            sheet.text(x, y + 0.06 + size * 0.0105, label, size, align="center")
        return y + 0.06 + size * 0.021


def null_of(measure: str) -> float | None:
    """Return no effect on the scale of computing; None where nothing is compared."""
    spec = MEASURES[measure]
    return None if spec.null is None else _BACK[spec.transform](spec.null)


def held(measure: str, interval: Interval | None) -> Interval | None:
    """Return an interval where its measure has a meaning: below an angle of zero there is no proportion."""
    spec = MEASURES[measure]
    if interval is None or spec.transform != "square-sine":
        return interval
    estimate, low, high = (_BACK[spec.transform](spec.shown(value)) for value in interval)
    return estimate, low, high


def heading(measure: str, *, log: bool = True) -> str:
    r"""Return what an axis shows, with its scale.

    >>> heading("RR"), heading("RR", log=False)
    ('Risk ratio (log\xa0scale)', 'Risk ratio')
    """
    label, scaled = MEASURES[measure].label, log and MEASURES[measure].transform == "exp"
    return f"{label[:1].upper()}{label[1:]}{' (log scale)' if scaled else ''}"


def axis(measure: str, limits: tuple[float, float], span: tuple[float, float], size: float) -> Axis:
    """Return an axis over these limits with as many ticks as their labels leave room for."""
    (low, high), null, found = limits, null_of(measure), []
    near = 0.12 * (high - low)
    for step in _steps(measure, low, high):
        begin = max((value for value, _ in step if low - near <= value < low), default=low)
        end = min((value for value, _ in step if high < value <= high + near), default=high)
        made = Axis(begin, end, *span, tuple(tick for tick in step if begin <= tick[0] <= end), null)
        inside = sum(low <= value <= high for value, _ in step)
        if inside >= 2 and len(made.ticks) <= 7 and _fits(made, size):
            found.append(made)
    if found:
        spread = (made for made in found if len(made.ticks) >= 4 and _emptiest(made) <= 0.4)
        return next(spread, min(found, key=_emptiest))
    only = () if null is None else ((null, _label(MEASURES[measure].shown(null))),)
    return Axis(low, high, *span, only, null)


def _emptiest(made: Axis) -> float:
    """Return the longest stretch without a tick, as a share of the axis."""
    places = [made.low, *(value for value, _ in made.ticks), made.high]
    return max(end - begin for begin, end in pairwise(places)) / (made.high - made.low)


def _fits(made: Axis, size: float) -> bool:
    """Return whether the labels of the ticks stand apart, more so where they come closer and closer."""
    places = [(made.x(value), width_of(label, size) / 2) for value, label in made.ticks]
    steps = [after - before for (before, _), (after, _) in pairwise(places)]
    closing = len(steps) > 2 and all(after < before - 1e-6 for before, after in pairwise(steps))
    room = 0.1 if closing else 0.05
    return all(after - before >= half + other + room for (before, half), (after, other) in pairwise(places))


def _steps(measure: str, low: float, high: float) -> Iterator[list[Tick]]:
    """Yield sets of ticks, the densest first, each reaching a little beyond the limits."""
    spec = MEASURES[measure]
    if spec.transform == "exp" and high - low > 0.7:
        first, last = math.floor(low / math.log(10)) - 1, math.ceil(high / math.log(10)) + 1
        decades = range(max(first, -299), min(last, 299) + 1)  # what a number can hold
        sparse = (((1,), every) for every in (1, 2, 3, 4, 5, 10, 20, 50, 100))
        for heads, every in (((1, 2, 5), 1), ((1, 3), 1), *sparse):
            yield [
                (math.log(head) + power * math.log(10), _label(head * 10.0**power))
                for power in decades if power % every == 0 for head in heads
            ]  # fmt: skip
        if high - low > 5:
            return
    begin, end = spec.shown(low), spec.shown(high)
    if spec.transform == "expit":
        least = max(min(begin, 1 - end), 1e-8)
        for heads, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 4)):
            powers = range(-every, math.floor(math.log10(least)) - 2, -every)
            rounds = {head * 10.0**power for power in powers for head in heads}
            marks = sorted({*rounds, 0.5, *(1 - mark for mark in rounds)})
            yield [(_BACK["expit"](mark), _label(mark)) for mark in marks]
    power = math.floor(math.log10(max(end - begin, 1e-12) / 8))
    for head in (1, 2, 2.5, 5, 10, 20, 25, 50, 100):
        step = head * 10.0**power
        marks = [step * count for count in range(math.floor(begin / step) - 1, math.ceil(end / step) + 2)]
        yield [(place, _label(mark)) for mark in marks if (place := _place(measure, mark)) is not None]


def steps_between(low: float, high: float) -> list[Tick]:
    """Return four to seven round numbers from low to high.

    >>> [label for _, label in steps_between(0.0, 0.77)]
    ['0', '0.2', '0.4', '0.6']
    """
    power = math.floor(math.log10((high - low) / 5))
    step = next(head * 10.0**power for head in (1, 2, 2.5, 5, 10) if (high - low) / (head * 10.0**power) <= 6)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(step * count, _label(step * count)) for count in range(first, last + 1)]


def _place(measure: str, shown: float) -> float | None:
    """Return where a number of the scale of reading stands; None where it stands nowhere."""
    try:
        return _BACK[MEASURES[measure].transform](shown)
    except (ValueError, ZeroDivisionError):
        return None


def _label(value: float) -> str:
    """Return a tick's label: as few digits as it has."""
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e7):
        head, power = f"{value:.3e}".split("e")
        shown = f"{'' if float(head) == 1 else f'{float(head):g}×'}10{str(int(power)).translate(_RAISED)}"
    else:
        shown = f"{value:,.10g}".replace(",", "\u2009") if size > 1e-12 else "0"
    return shown.replace("-", "−")


def limits_of(
    measure: str, studies: Sequence[tuple[Interval, float]], pooled: Sequence[tuple[float, float]],
    further: Sequence[tuple[float, float]] = (),
) -> tuple[float, float]:  # fmt: skip
    """Return limits that hold the null, every pooled interval, and those of nine tenths of the weight.

    What is left out ends in an arrow: so does an interval that is four times as wide as all estimates
    together and as the narrowest interval, and would press them into a corner. A prediction interval
    (`further`) and the lighter studies, or their estimates, stand on it where it grows to twice at most.
    """
    null, light = null_of(measure), list(further)
    ends = [end for pair in pooled for end in pair] + ([] if null is None else [null])
    middle = [*ends, *(interval[0] for interval, _ in studies)]
    narrow = min((high - low for (_, low, high), _ in studies if high > low), default=0.0)
    core = max(max(middle) - min(middle), narrow) or math.inf
    wanted, seen = 0.9 * math.fsum(weight for _, weight in studies), 0.0
    for (estimate, low, high), weight in sorted(studies, key=lambda study: (-study[1], study[0])):
        if seen < wanted or not ends:
            ends += [low, high] if high - low <= 4 * core else [estimate]
        else:
            light += [(low, high), (estimate, estimate)]
        seen += weight
    low, high = min(ends), max(ends)
    wide = 2 * (high - low) or math.inf
    for begin, end in light:
        if max(high, end) - min(low, begin) <= wide:
            low, high = min(low, begin), max(high, end)
    room = 0.03 * (high - low) or 0.5 * max(abs(low), 1.0)
    return low - room, high + room
