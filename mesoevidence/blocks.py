"""The blocks that several kinds of record share: the place of a number, a judgement, a question."""

from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mesoevidence import cards, vocabulary as words
from mesoevidence.fields import BibKey, Count, Day, Identifier, Slug, Slugs, Text

_UNREVIEWED = "draft, unreviewed"
NOTHING: Any = Field(default_factory=lambda: MappingProxyType({}))


class Model(BaseModel):
    """Typed, frozen, and closed to fields nobody asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class Place(Model):
    """The document and the place in it where something was read."""

    ref: BibKey
    at: Text
    via: Text | None = None
    method: words.ReadingMethod = "reported"
    figures: Text | None = None
    how: Text | None = None


class Provenance(Place):
    """Where a result was read, the figures as printed there, and how they became the numbers recorded."""

    method: words.ReadingMethod
    figures: Text


class Judgement(Model):
    """What was judged, why, by whom and when."""

    judgement: Text
    why: Text
    by: Text
    on: Day


class Search(Model):
    """A search that was made: where, for what, when, and what came back."""

    where: Text
    query: Text | None = None
    on: Day
    hits: Count | None = None
    note: Text | None = None


class Entry(Model):
    """Common to every record."""

    id: Identifier
    status: words.Status = "draft"
    by: Text | None = None
    reviewed_by: Text | None = None
    note: Text | None = None

    def title_line(self) -> str:
        """Return the record in one line."""
        titles = (getattr(self, field, None) for field in ("claim", "label", "title"))
        name = next(filter(None, titles), self.id)
        return f"{self.id}: {name}" if name != self.id else self.id

    def shown(self) -> dict[str, Any]:
        """Return the fields that are known, under the names they have in the file."""
        content = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        return {"status": _UNREVIEWED if self.status == "draft" else self.status, **content}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.title_line()}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return cards.html(self.title_line(), self.shown())


class Pico(Model):
    """The question: in whom, what, against what, on which outcome."""

    population: Slugs | None = None
    intervention: Slugs | None = None
    comparator: Slugs | None = None
    outcome: Slug | None = None
