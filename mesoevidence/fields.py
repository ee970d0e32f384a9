"""The kinds of field a record may have: text, numbers as printed, dates, slugs; each with its JSON Schema."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, TypeAlias, TypeVar

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


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("E203", "a single text is expected")
    if not value.strip() or (value in _NULL and not isinstance(value, Quoted)):
        raise PydanticCustomError("E207", "empty")
    return str(value)


def _number(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and value and not value.isspace() and not isinstance(value, Quoted):
        if _NUMBER.fullmatch(value):
            return Decimal(value)
        raise PydanticCustomError("E204", "not a number in digits: {shown}", {"shown": short(value)})
    if isinstance(value, Quoted):
        raise PydanticCustomError(
            "E204", "a number is written without quotes: {shown}", {"shown": short(value)}
        )
    raise PydanticCustomError("E207" if isinstance(value, str) else "E203", "a number is expected")


def _at_least_zero(value: object) -> Decimal:
    number = _number(value)
    if number < 0:
        raise PydanticCustomError("E208", "below 0: {shown}", {"shown": str(number)})
    return number


def _share(value: object) -> Decimal:
    number = _at_least_zero(value)
    if number > 1:
        raise PydanticCustomError("E208", "above 1: {shown}", {"shown": str(number)})
    return number


def _count(value: object) -> int:
    number = _at_least_zero(value)
    if number != number.to_integral_value():
        raise PydanticCustomError("E208", "not a whole number: {shown}", {"shown": str(number)})
    return int(number)


def _steps(value: object) -> int:
    number = _count(value)
    if number > 3:
        shown = {"shown": str(number), "hint": "0, 1, 2 or 3"}
        raise PydanticCustomError("E208", "more than 3 levels: {shown}", shown)
    return number


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    text = _text(value)
    if not _DATE.fullmatch(text):
        raise PydanticCustomError("E206", "not a date as YYYY-MM-DD: {shown}", {"shown": short(text)})
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("E206", "no such day: {shown}", {"shown": text}) from None


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false") and not isinstance(value, Quoted):
        return value == "true"
    raise PydanticCustomError("E205", "`true` or `false` is expected")


def _slug(value: object) -> str:
    text = _text(value)
    if len(text) > 64 or not ID.fullmatch(text) or text in RESERVED:
        hint = "lower-case letters and digits, words joined by single hyphens, at most 64 characters"
        raise PydanticCustomError("E209", "out of pattern: {shown}", {"shown": short(text), "hint": hint})
    return text


def _identifier(value: object) -> str:
    try:
        return _slug(value)
    except PydanticCustomError as error:
        raise PydanticCustomError("E101", error.message_template, error.context) from None


def _bib_key(value: object) -> str:
    text = _text(value)
    if not _KEY.fullmatch(text):
        raise PydanticCustomError(
            "E209", "out of pattern: {shown}", {"shown": short(text), "hint": "lower-case letters and digits"}
        )
    return text


def _arms(value: object) -> object:
    if value == []:
        raise PydanticCustomError("E207", "empty", {"hint": "write `none` where there is no comparator"})
    return [] if value == "none" else _one_or_more(value)


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


_TEXT = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(_TEXT)]
Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Positive = Annotated[
    Decimal, BeforeValidator(_at_least_zero), WithJsonSchema({"type": "number", "minimum": 0})
]
Share = Annotated[
    Decimal, BeforeValidator(_share), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]
Count = Annotated[int, BeforeValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0})]
Steps = Annotated[
    int, BeforeValidator(_steps), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 3})
]
Day = Annotated[
    date,
    BeforeValidator(_date),
    WithJsonSchema({"type": "string", "pattern": f"^{_DATE.pattern}$", "format": "date"}),
]
Truth = Annotated[bool, BeforeValidator(_truth), WithJsonSchema({"type": "boolean"})]
_SLUG_SCHEMA = {"type": ["string", "integer"], "pattern": f"^{ID.pattern}$", "maxLength": 64}
Slug = Annotated[str, BeforeValidator(_slug), WithJsonSchema(_SLUG_SCHEMA)]
Identifier = Annotated[str, BeforeValidator(_identifier), WithJsonSchema(_SLUG_SCHEMA)]
BibKey = Annotated[
    str,
    BeforeValidator(_bib_key),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{_KEY.pattern}$"}),
]

Arms = Annotated[
    tuple[Slug, ...],
    BeforeValidator(_arms),
    WithJsonSchema({"anyOf": [_SLUG_SCHEMA, {"type": "array", "items": _SLUG_SCHEMA, "minItems": 1}]}),
]

T = TypeVar("T")
Some: TypeAlias = Annotated[tuple[T, ...], Field(min_length=1)]
Slugs = Annotated[
    Some[Slug],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [_SLUG_SCHEMA, {"type": "array", "items": _SLUG_SCHEMA, "minItems": 1}]}),
]
Table: TypeAlias = Annotated[
    Mapping[Slug, T], AfterValidator(MappingProxyType), WrapSerializer(lambda value, rest: rest(dict(value)))
]
KeyTable: TypeAlias = Annotated[
    Mapping[BibKey, T],
    AfterValidator(MappingProxyType),
    WrapSerializer(lambda value, rest: rest(dict(value))),
]
