"""The kinds of field a record may have: text, numbers as printed, dates, slugs; each with its JSON Schema."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, LiteralString, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, WrapSerializer
from pydantic_core import PydanticCustomError

from mesoevidence.problems import short
from mesoevidence.records import Quoted

ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_KEY = re.compile(r"[a-z0-9]+")
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_NULL = {"~", "null", "Null", "NULL"}  # an editor takes these for nothing; in quotes they are text
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def _refused(
    code: LiteralString, message: LiteralString, shown: object = "", hint: str = ""
) -> PydanticCustomError:
    """Return what is wrong with a field: its code, and a message that may show the value."""
    return PydanticCustomError(code, message, {"shown": short(str(shown)), "hint": hint})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _refused("E203", "a single text is expected")
    if not value.strip() or (value in _NULL and not isinstance(value, Quoted)):
        raise _refused("E207", "empty")
    return str(value)


def _number(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, Quoted):
        raise _refused("E204", "a number is written without quotes: {shown}", value)
    if not isinstance(value, str):
        raise _refused("E203", "a number is expected")
    if not value.strip():
        raise _refused("E207", "a number is expected")
    if not _NUMBER.fullmatch(value):
        raise _refused("E204", "not a number in digits: {shown}", value)
    return Decimal(value)


def _at_least_zero(value: object) -> Decimal:
    if (number := _number(value)) < 0:
        raise _refused("E208", "below 0: {shown}", number)
    return number


def _share(value: object) -> Decimal:
    if (number := _at_least_zero(value)) > 1:
        raise _refused("E208", "above 1: {shown}", number)
    return number


def _count(value: object) -> int:
    number = _at_least_zero(value)
    if number != number.to_integral_value():
        raise _refused("E208", "not a whole number: {shown}", number)
    return int(number)


def _steps(value: object) -> int:
    if (number := _count(value)) > 3:
        raise _refused("E208", "more than 3 levels: {shown}", number, "0, 1, 2 or 3")
    return number


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    text = _text(value)
    if not _DATE.fullmatch(text):
        raise _refused("E206", "not a date as YYYY-MM-DD: {shown}", text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _refused("E206", "no such day: {shown}", text) from None


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false") and not isinstance(value, Quoted):
        return value == "true"
    raise _refused("E205", "`true` or `false` is expected")


def _slug(value: object) -> str:
    text = _text(value)
    if len(text) > 64 or not ID.fullmatch(text) or text in RESERVED:
        hint = "lower-case letters and digits, words joined by single hyphens, at most 64 characters"
        raise _refused("E209", "out of pattern: {shown}", text, hint)
    return text


def _identifier(value: object) -> str:
    try:
        return _slug(value)
    except PydanticCustomError as error:
        raise PydanticCustomError("E101", error.message_template, error.context) from None


def _bib_key(value: object) -> str:
    text = _text(value)
    if not _KEY.fullmatch(text):
        raise _refused("E209", "out of pattern: {shown}", text, "lower-case letters and digits")
    return text


def _arms(value: object) -> object:
    if value == []:
        raise _refused("E207", "empty", hint="write `none` where there is no comparator")
    return [] if value == "none" else _one_or_more(value)


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


_TEXT = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
_AT_LEAST_ZERO = {"type": "number", "minimum": 0}
_WHOLE = {"type": "integer", "minimum": 0}
_DAY = {"type": "string", "pattern": f"^{_DATE.pattern}$", "format": "date"}
_SLUG = {"type": ["string", "integer"], "pattern": f"^{ID.pattern}$", "maxLength": 64}
_BIB_KEY = {"type": ["string", "integer"], "pattern": f"^{_KEY.pattern}$"}
_SLUGS = {"anyOf": [_SLUG, {"type": "array", "items": _SLUG, "minItems": 1}]}
_AS_DICT = WrapSerializer(lambda value, rest: rest(dict(value)))

Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(_TEXT)]
Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
AtLeastZero = Annotated[Decimal, BeforeValidator(_at_least_zero), WithJsonSchema(_AT_LEAST_ZERO)]
Share = Annotated[Decimal, BeforeValidator(_share), WithJsonSchema({**_AT_LEAST_ZERO, "maximum": 1})]
Count = Annotated[int, BeforeValidator(_count), WithJsonSchema(_WHOLE)]
Steps = Annotated[int, BeforeValidator(_steps), WithJsonSchema({**_WHOLE, "maximum": 3})]
Day = Annotated[date, BeforeValidator(_date), WithJsonSchema(_DAY)]
Truth = Annotated[bool, BeforeValidator(_truth), WithJsonSchema({"type": "boolean"})]
Slug = Annotated[str, BeforeValidator(_slug), WithJsonSchema(_SLUG)]
Identifier = Annotated[str, BeforeValidator(_identifier), WithJsonSchema(_SLUG)]
BibKey = Annotated[str, BeforeValidator(_bib_key), WithJsonSchema(_BIB_KEY)]
Arms = Annotated[tuple[Slug, ...], BeforeValidator(_arms), WithJsonSchema(_SLUGS)]

T = TypeVar("T")
Some: TypeAlias = Annotated[tuple[T, ...], Field(min_length=1)]
Slugs = Annotated[Some[Slug], BeforeValidator(_one_or_more), WithJsonSchema(_SLUGS)]
Table: TypeAlias = Annotated[Mapping[Slug, T], AfterValidator(MappingProxyType), _AS_DICT]
KeyTable: TypeAlias = Annotated[Mapping[BibKey, T], AfterValidator(MappingProxyType), _AS_DICT]
