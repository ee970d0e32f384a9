"""The commented template of a new record, and the JSON Schema that editors check it against."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from mesoevidence import __version__, files
from mesoevidence.fields import ID, RESERVED
from mesoevidence.model import KINDS
from mesoevidence.problems import EvidenceError, short

_BLANK = Path(__file__).parent / "blank"
_EXAMPLE = Path(__file__).parent / "example"
FOLDER_OF: Mapping[str, str] = MappingProxyType(
    {"claim": "claims", "study": "studies", "synthesis": "syntheses", "topic": "topics"}
)


def path_of(root: Path, kind: str, identifier: str) -> Path:
    """Return where a record of that kind and id stands.

    Raises
    ------
    EvidenceError
        When the id is out of pattern.
    """
    if not ID.fullmatch(identifier) or len(identifier) > 64 or identifier in RESERVED:
        raise EvidenceError(
            f"the id {short(identifier)!r} is out of pattern: lower-case words joined by hyphens, "
            "at most 64 signs, and no name that a system reserves"
        )
    return root / "evidence" / FOLDER_OF[kind] / f"{identifier}.yaml"


def template(kind: str, identifier: str) -> str:
    """Return the commented template of one kind of record."""
    first = f"# yaml-language-server: $schema=../schema/{kind}.json\n"
    blank = (_BLANK / f"{kind}.yaml").read_text(encoding="utf-8")
    return first + blank.replace("id: ID", f"id: {identifier}", 1)


class _WithoutNull(GenerateJsonSchema):
    """Records know no null and no default: what is absent is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def init(folder: str | os.PathLike[str]) -> list[Path]:
    """Begin a ledger of another topic: an example of each kind of record, made up, to be replaced.

    Parameters
    ----------
    folder : path
        Where; it is made when it is not there.

    Returns
    -------
    list of Path
        The files written: a topic, a study, a synthesis, a claim, the bibliography, and the schemas that
        editors check records against. The ledger passes `check`.

    Raises
    ------
    EvidenceError
        When one of the files is there already, since none is ever overwritten, or the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> import mesoevidence as me
    >>> folder = tempfile.mkdtemp()
    >>> len(me.init(folder))
    9
    >>> me.load(folder)
    <Evidence: 1 claim, 1 study, 1 synthesis, 0 problems>
    """
    root = Path(folder)
    texts = {root / f"evidence/schema/{kind}.json": schema(kind) for kind in FOLDER_OF}
    for path in sorted(_EXAMPLE.rglob("*.*")):
        texts[root / path.relative_to(_EXAMPLE)] = path.read_text(encoding="utf-8")
    for path in texts:
        if os.path.lexists(path):
            raise EvidenceError(f"{path} is there already and is never overwritten; choose another folder")
    for path, text in texts.items():
        files.make_folder(path.parent)
        files.write(path, text)
    return list(texts)


def schema(kind: str) -> str:
    """Return the JSON Schema (draft 2020-12) of one kind of record, as text."""
    content = KINDS[FOLDER_OF[kind]].model_json_schema(by_alias=True, schema_generator=_WithoutNull)
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"mesoevidence {kind}",
        "$comment": f"written by `mesoevidence schema {kind}`, version {__version__}",
        **{name: value for name, value in content.items() if name != "title"},
    }
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
