"""Checks that every number stands in the figures read at its place, or recomputes from them."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from operator import add, mul, sub, truediv
from types import MappingProxyType

from mesoevidence.blocks import Model, Provenance
from mesoevidence.ledger import Ledger
from mesoevidence.model import Result, Study
from mesoevidence.problems import Found, Path, short

_SIGNS = str.maketrans({"−": "-", "–": "-", "×": "x", "·": ".", "\u00a0": " ", "\u2009": " ", "\u202f": " "})
_THOUSANDS = re.compile(r"(?<=\d)[, ](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_STATED = re.compile(rf"-?(?:{_NUMBER.pattern})")
_TOKEN = re.compile(rf"{_NUMBER.pattern}|sqrt|[-+x*/%()]")
_OPERATIONS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = MappingProxyType(
    {ast.Add: add, ast.Sub: sub, ast.Mult: mul, ast.Div: truediv}
)
_NO_FIGURES = frozenset(("level", "provenance"))
CONSTANTS = frozenset(map(Decimal, ("1", "2", "100", "1.96")))
PERCENTAGE_X_N = "percentage x n"
_LONG = Context(prec=300_000)  # more digits than a record has room for


def figures_in(text: str) -> frozenset[Decimal]:
    """Return the numbers that a text shows, without regard to sign and thousands separators.

    >>> sorted(map(str, figures_in("62.8 % of 1086; p < .05; −3.2")))
    ['0.05', '1086', '3.2', '62.8']
    """
    plain = text.translate(_SIGNS)
    texts = {plain, _THOUSANDS.sub("", plain)}
    return frozenset(Decimal(found) for text in texts for found in _NUMBER.findall(text))


def numbers_of(node: object, path: Path = ()) -> Iterator[tuple[Path, Decimal]]:
    """Yield every number a result records, with its path in the result.

    A confidence level is a convention, and needs no witness; what says where numbers were read is one.
    """
    parts: Iterable[tuple[str | int, object]] = ()
    if isinstance(node, Model):
        fields = vars(node).items()
        parts = ((name, part) for name, part in fields if part is not None and name not in _NO_FIGURES)
    elif isinstance(node, MappingProxyType):  # a quarter of the time of asking for any Mapping
        parts = node.items()
    elif isinstance(node, tuple):
        parts = enumerate(node)
    elif isinstance(node, Decimal | int) and not isinstance(node, bool):
        yield path, Decimal(node)
    for name, part in parts:
        if not isinstance(part, str):
            yield from numbers_of(part, (*path, name))


def reported_stands_in_figures(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """What is reported occurs in the figures as printed."""
    if result.provenance.method != "reported":
        return
    shown = figures_in(result.provenance.figures)
    for path, number in numbers_of(result):
        if number.copy_abs() not in shown:
            hint = "copy the figure as printed, or set `method: calculated` and say how"
            yield Found("E302", path, _absent(number, result.provenance), hint)


def calculated_recomputes(result: Result, study: Study, ledger: Ledger) -> Iterator[Found]:
    """What is calculated says how, and comes out again from the figures."""
    origin = result.provenance
    if origin.method != "calculated":
        return
    if origin.how is None:
        hint = 'write how: "percentage x n", or equations such as "62.8 % x 86 = 54"'
        yield Found("E303", ("from",), "calculated, but `how` is missing", hint, key=True)
    elif origin.how.strip() == PERCENTAGE_X_N:
        yield from _percentages(result, figures_in(origin.figures))
    else:
        yield from _equations(result, origin.how, figures_in(origin.figures))


def _absent(number: Decimal, origin: Provenance) -> str:
    return f"{number} does not occur in the figures: {short(origin.figures)}"


def _percentages(result: Result, shown: frozenset[Decimal]) -> Iterator[Found]:
    """Check that each count is a printed percentage of its n, rounded to whole persons."""
    for path, number in numbers_of(result):
        if path[0] != "values" or path[2] != "events":
            if number.copy_abs() not in shown:
                yield Found("E302", path, _absent(number, result.provenance), "copy the figure as printed")
            continue
        n = result.values[str(path[1])].n
        if not n:
            yield Found("E304", path, "a percentage of an n that is not given", "give `n` beside `events`")
        elif not any(_is_percentage(number, n, percent) for percent in shown):
            message = f"{number} of {n} is {100 * number / n:.1f} %, which the figures do not show"
            yield Found("E304", path, message, f"the figures are: {short(result.provenance.figures)}")


def _is_percentage(events: Decimal, n: int, percent: Decimal) -> bool:
    """Return whether events out of n print as that percentage, by either way of rounding a half."""
    exact = 100 * events / n
    unit = Decimal(1).scaleb(_exponent(percent))
    return any(exact.quantize(unit, way, _LONG) == percent for way in (ROUND_HALF_UP, ROUND_HALF_EVEN))


def _equations(result: Result, how: str, shown: frozenset[Decimal]) -> Iterator[Found]:
    """Check each equation of `how`, and that every number not in the figures is the right side of one."""
    here, results = ("from", "how"), set[Decimal]()
    for equation in filter(None, (part.strip() for part in how.split(";"))):
        left, _, right = equation.translate(_SIGNS).rpartition("=")
        try:
            stated, (value, used) = _stated(right), evaluate(left)
        except (InvalidOperation, ValueError, ZeroDivisionError):
            hint = 'write arithmetic on the figures, such as "62.8 % x 86 = 54; 17.5 % x 40 = 7"'
            message = f"not an equation that can be recomputed: {short(equation)}"
            yield Found("E303", here, message, hint)
            continue
        if strange := sorted(used - shown - results - CONSTANTS):
            yield Found("E302", here, _absent(strange[0], result.provenance), "use the figures as printed")
        if abs(value - stated) > Decimal(1).scaleb(_exponent(stated)) * Decimal("0.505"):
            nearest = value.quantize(Decimal(1).scaleb(_exponent(stated) - 1), context=_LONG)
            message = f"{short(equation)}: it gives {short(str(nearest))}"
            yield Found("E304", here, message, "mend the value or the equation")
        results.add(stated.copy_abs())
    for path, number in numbers_of(result):
        if number.copy_abs() not in shown | results:
            message = f"{number} is neither in the figures nor the result of an equation"
            yield Found("E304", path, message, f"how: {short(how)}")


def _stated(text: str) -> Decimal:
    """Return the right side of an equation: one number in plain digits, as it is printed."""
    plain = _THOUSANDS.sub("", text.strip())
    if not _STATED.fullmatch(plain):
        raise ValueError(text)
    return Decimal(plain)


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
    text, numbers = " ".join(_THOUSANDS.sub("", expression).split()), dict[str, Decimal]()
    if _TOKEN.sub("", text).strip() or len(_TOKEN.findall(text)) > 200:
        raise ValueError(expression)

    def named(found: re.Match[str]) -> str:
        name = f"n{len(numbers)}"
        numbers[name] = Decimal(found[0])
        return name

    source = _NUMBER.sub(named, text).replace("x", "*").replace("%", "**percent")  # ** binds as % does
    try:
        tree = ast.parse(source, mode="eval")
    except SyntaxError as error:
        raise ValueError(expression) from error
    return _value(tree.body, numbers), set(numbers.values())


def _value(node: ast.expr, numbers: Mapping[str, Decimal]) -> Decimal:
    """Return the value of a parsed expression, whose numbers have names."""
    match node:
        case ast.Name(name) if name in numbers:
            return numbers[name]
        case ast.UnaryOp(ast.USub(), inner):
            return -_value(inner, numbers)
        case ast.BinOp(left, ast.Pow(), ast.Name("percent")):
            return _value(left, numbers) / 100
        case ast.BinOp(left, how, right) if type(how) in _OPERATIONS:
            return _OPERATIONS[type(how)](_value(left, numbers), _value(right, numbers))
        case ast.Call(ast.Name("sqrt"), [inner], []):
            return _value(inner, numbers).sqrt()
    raise ValueError("a number, a bracket or a sign is missing")


def _exponent(number: Decimal) -> int:
    """Return the power of ten of the last printed digit."""
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


CHECKS: tuple[Callable[[Result, Study, Ledger], Iterable[Found]], ...] = (
    reported_stands_in_figures,
    calculated_recomputes,
)
