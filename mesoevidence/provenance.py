"""Checks that every number stands in the figures read at its place, or recomputes from them."""

import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation

from mesoevidence.blocks import Provenance
from mesoevidence.ledger import Ledger
from mesoevidence.model import Effect, Paired, PValue, Result, Study, Values
from mesoevidence.problems import Problem, short

_SIGNS = str.maketrans({"−": "-", "–": "-", "×": "x", "·": ".", "\u00a0": " ", "\u2009": " ", "\u202f": " "})
_THOUSANDS = re.compile(r"(?<=\d)[, ](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
CONSTANTS = frozenset(map(Decimal, ("1", "2", "100", "1.96")))
PERCENTAGE_X_N = "percentage x n"

Path = tuple[str | int, ...]


def figures_in(text: str) -> frozenset[Decimal]:
    """Return the numbers that a text shows, without regard to sign and thousands separators.

    >>> sorted(map(str, figures_in("62.8 % of 1086; p < .05; −3.2")))
    ['0.05', '1086', '3.2', '62.8']
    """
    plain = text.translate(_SIGNS)
    numbers = {Decimal(found) for found in _NUMBER.findall(_THOUSANDS.sub("", plain))}
    return frozenset(numbers | {Decimal(found) for found in _NUMBER.findall(plain)})


def numbers_of(result: Result) -> Iterator[tuple[Path, Decimal]]:
    """Yield every number a result records, with its path in the result."""
    for arm, values in (result.values or {}).items():
        yield from _numbers(values, ("values", arm))
    if result.effect:
        yield from _numbers(result.effect, ("effect",))
        for at, limit in enumerate(result.effect.ci or ()):
            yield ("effect", "ci", at), limit
        if result.effect.p:
            yield ("effect", "p", "value"), result.effect.p.value
    if result.paired:
        yield from _numbers(result.paired, ("paired",))
    if result.p:
        yield ("p", "value"), result.p.value


def _numbers(model: Values | Effect | Paired | PValue, path: Path) -> Iterator[tuple[Path, Decimal]]:
    """Yield the plain numbers of one block; a confidence level is a convention and needs no witness."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name != "level" and isinstance(value, Decimal | int) and not isinstance(value, bool):
            yield (*path, name), Decimal(value)


def reported_stands_in_figures(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """What is reported occurs in the figures as printed."""
    for at, result in enumerate(study.results):
        if result.provenance.method != "reported":
            continue
        shown = figures_in(result.provenance.figures)
        for path, number in numbers_of(result):
            if abs(number) not in shown:
                hint = "copy the figure as printed, or set `method: calculated` and say how"
                message = f"{number} does not occur in the figures: {short(result.provenance.figures)}"
                yield ledger.problem("E302", study.id, ("results", at, *path), message, hint)


def calculated_recomputes(study: Study, ledger: Ledger) -> Iterator[Problem]:
    """What is calculated says how, and comes out again from the figures."""
    for at, result in enumerate(study.results):
        origin = result.provenance
        if origin.method != "calculated":
            continue
        here: Path = ("results", at)
        if origin.how is None:
            hint = 'write how: "percentage x n", or equations such as "62.8 % x 86 = 54"'
            yield ledger.problem(
                "E303", study.id, (*here, "from"), "calculated, but `how` is missing", hint, key=True
            )
        elif origin.how.strip() == PERCENTAGE_X_N:
            yield from _percentages(study, result, here, ledger)
        else:
            yield from _equations(study, result, origin, origin.how, here, ledger)


def _percentages(study: Study, result: Result, here: Path, ledger: Ledger) -> Iterator[Problem]:
    """Check that each count is a printed percentage of its n, rounded to whole persons."""
    shown = figures_in(result.provenance.figures)
    for path, number in numbers_of(result):
        if path[0] != "values" or path[2] != "events":
            if number not in shown and abs(number) not in shown:
                message = f"{number} does not occur in the figures: {short(result.provenance.figures)}"
                yield ledger.problem("E302", study.id, (*here, *path), message, "copy the figure as printed")
            continue
        n = (result.values or {})[str(path[1])].n
        if n and not any(_is_percentage(number, n, percent) for percent in shown):
            message = f"{number} of {n} is {100 * number / n:.1f} %, which the figures do not show"
            hint = f"the figures are: {short(result.provenance.figures)}"
            yield ledger.problem("E304", study.id, (*here, *path), message, hint)
        elif not n:
            hint = "give `n` beside `events`"
            yield ledger.problem(
                "E304", study.id, (*here, *path), "a percentage of an n that is not given", hint
            )


def _is_percentage(events: Decimal, n: int, percent: Decimal) -> bool:
    """Return whether events out of n print as that percentage, by either way of rounding a half."""
    exact = 100 * events / n
    unit = Decimal(1).scaleb(_exponent(percent))
    return any(exact.quantize(unit, way) == percent for way in (ROUND_HALF_UP, ROUND_HALF_EVEN))


def _equations(
    study: Study, result: Result, origin: Provenance, how: str, here: Path, ledger: Ledger
) -> Iterator[Problem]:
    """Check each equation of `how`, and that every number not in the figures is the right side of one."""
    shown = figures_in(origin.figures)
    results: set[Decimal] = set()
    for equation in filter(None, (part.strip() for part in how.split(";"))):
        left, _, right = equation.translate(_SIGNS).rpartition("=")
        try:
            stated = Decimal(_THOUSANDS.sub("", right.strip()))
            value, used = evaluate(left)
        except (InvalidOperation, ValueError, ZeroDivisionError):
            hint = 'write arithmetic on the figures, such as "62.8 % x 86 = 54; 17.5 % x 40 = 7"'
            message = f"not an equation that can be recomputed: {short(equation)}"
            yield ledger.problem("E303", study.id, (*here, "from", "how"), message, hint)
            continue
        if strange := sorted(used - shown - results - CONSTANTS):
            message = f"{strange[0]} does not occur in the figures: {short(origin.figures)}"
            yield ledger.problem(
                "E302", study.id, (*here, "from", "how"), message, "use the figures as printed"
            )
        if abs(value - stated) > Decimal(1).scaleb(_exponent(stated)) * Decimal("0.505"):
            message = f"{short(equation)}: it gives {_rounded(value, stated)}"
            yield ledger.problem(
                "E304", study.id, (*here, "from", "how"), message, "mend the value or the equation"
            )
        results.add(abs(stated))
    for path, number in numbers_of(result):
        if abs(number) not in shown | results:
            message = f"{number} is neither in the figures nor the result of an equation"
            yield ledger.problem("E304", study.id, (*here, *path), message, f"how: {short(how)}")


_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|sqrt|[-+x*/%()])")


def evaluate(expression: str) -> tuple[Decimal, set[Decimal]]:
    """Return the value of an arithmetic expression and the numbers it used.

    `x` and `*` multiply, `%` divides by a hundred, `sqrt(...)` takes the root.

    Raises
    ------
    ValueError
        When the text is no arithmetic.

    >>> evaluate("62.8 % x 86")
    (Decimal('54.008'), {Decimal('62.8'), Decimal('86')})
    """
    text = _THOUSANDS.sub("", expression.strip())
    tokens: list[str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found or len(tokens) > 200:
            raise ValueError(expression)
        tokens.append(found[1])
        at = found.end()
    used: set[Decimal] = set()
    value, rest = _sum(tokens, used)
    if rest:
        raise ValueError(expression)
    return value, used


def _sum(tokens: Sequence[str], used: set[Decimal]) -> tuple[Decimal, Sequence[str]]:
    value, rest = _product(tokens, used)
    while rest and rest[0] in "+-":
        other, after = _product(rest[1:], used)
        value = value + other if rest[0] == "+" else value - other
        rest = after
    return value, rest


def _product(tokens: Sequence[str], used: set[Decimal]) -> tuple[Decimal, Sequence[str]]:
    value, rest = _factor(tokens, used)
    while rest and rest[0] in ("x", "*", "/"):
        other, after = _factor(rest[1:], used)
        value = value / other if rest[0] == "/" else value * other
        rest = after
    return value, rest


def _factor(tokens: Sequence[str], used: set[Decimal]) -> tuple[Decimal, Sequence[str]]:
    if not tokens:
        raise ValueError("a number is missing")
    first, rest = tokens[0], tokens[1:]
    if first == "-":
        value, rest = _factor(rest, used)
        return -value, rest
    if first in ("sqrt", "("):
        inner = rest[1:] if first == "sqrt" else rest
        value, rest = _sum(inner, used)
        if not rest or rest[0] != ")":
            raise ValueError("a bracket is not closed")
        rest = rest[1:]
        value = value.sqrt() if first == "sqrt" else value
    else:
        value = Decimal(first)
        used.add(value)
    if rest and rest[0] == "%":
        value, rest = value / 100, rest[1:]
    return value, rest


def words_are_few(identifier: str, texts: Sequence[tuple[Path, str]], ledger: Ledger) -> Iterator[Problem]:
    """Yield a problem for each witness of a wording that is longer than eight words."""
    for path, text in texts:
        count = len(text.split())
        if count > 8:
            hint = "keep at most eight consecutive words"
            yield ledger.problem("E305", identifier, path, f"{count} words of a source", hint)


def _exponent(number: Decimal) -> int:
    """Return the power of ten of the last printed digit."""
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _rounded(value: Decimal, like: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(min(_exponent(like), 0) - 1))
