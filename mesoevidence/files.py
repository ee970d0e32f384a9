"""The only access to the disk: find a ledger's files, read one with care, write one whole or not at all."""

import hashlib
import os
import re
import stat
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from mesoevidence.problems import EvidenceError, Problem

SHIPPED = "no ledger here or above: this is the one that ships with mesoevidence"
FOLDERS = ("topics", "claims", "studies", "syntheses")
BIBLIOGRAPHY = "references.bib"
MAX_RECORD_BYTES = 256 * 1024
MAX_BIBLIOGRAPHY_BYTES = 64 * 1024 * 1024

# Control characters, bidirectional overrides, line separators YAML would break at, a byte-order mark
# inside the text, and code points that are no characters.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ufdd0-\ufdef\ud800-\udfff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
    + "]"
)
_CONFLICT = re.compile(r"^(?:<{7} |={7}$|>{7} |\|{7} )", re.MULTILINE)


def root_of(path: str | os.PathLike[str]) -> Path:
    """Return `path` when a ledger stands in it.

    Raises
    ------
    EvidenceError
        When `path` holds neither `evidence/` nor `references.bib`, or is no folder.
    """
    root = Path(path)
    if not root.is_dir():
        raise EvidenceError(
            f"no ledger at {root}: there is no such folder; name the folder that holds evidence/"
        )
    if not (root / "evidence").is_dir():
        raise EvidenceError(
            f"no ledger at {root}: it holds no evidence/ folder; `mesoevidence new` shows how to begin"
        )
    return root


def locate(path: str | os.PathLike[str] | None = None) -> tuple[Path, bool]:
    """Return the ledger asked for, else the nearest one upward, else the shipped one and True.

    Raises
    ------
    EvidenceError
        When `path` is given and holds no ledger.
    """
    if path is not None:
        return root_of(path), False
    if (nearest := nearest_root()) is not None:
        return nearest, False
    return shipped_root(), True


def nearest_root(start: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the nearest folder at or above `start` (or the current folder) that holds a ledger, or None."""
    here = Path(start or ".").absolute()
    for folder in (here, *here.parents):
        if (folder / "evidence").is_dir() and (folder / BIBLIOGRAPHY).is_file():
            return folder
    return None


def shipped_root() -> Path:
    """Return where the ledger that comes with the library stands: inside the wheel, or beside the package.

    Raises
    ------
    EvidenceError
        When the installation carries none.
    """
    package = Path(__file__).absolute().parent
    for folder in (package / "shipped", package.parent):
        if (folder / "evidence").is_dir() and (folder / BIBLIOGRAPHY).is_file():
            return folder
    raise EvidenceError("this installation carries no ledger: reinstall mesoevidence, or name a folder")


def find(root: Path) -> tuple[list[str], list[Problem]]:
    """Return the record files of a ledger as sorted paths from its root, and a problem for each odd thing."""
    found: list[str] = []
    problems: list[Problem] = []
    for folder in FOLDERS:
        base = root / "evidence" / folder
        if base.is_symlink():
            problems.append(_link(f"evidence/{folder}"))
            continue
        try:
            entries = sorted(os.scandir(base), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(_unreadable(f"evidence/{folder}", error))
            continue
        for entry in entries:
            path = f"evidence/{folder}/{_shown(entry.name)}"
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                problems.append(_link(path))
            elif entry.is_dir(follow_symlinks=False):
                problems.append(
                    Problem(path, 1, 1, "E001", "this is a folder", "records stand directly in their folder")
                )
            elif entry.name.endswith(".yaml"):
                found.append(f"evidence/{folder}/{entry.name}")
            elif entry.name.lower().endswith((".yml", ".yaml")):
                problems.append(
                    Problem(
                        path,
                        1,
                        1,
                        "E012",
                        "a record's file ends in .yaml",
                        f"rename it to {Path(path).stem}.yaml",
                    )
                )
    return found, problems


def read(root: Path, path: str, limit: int = MAX_RECORD_BYTES) -> str | Problem:
    """Return the text of one file, composed (NFC) and with bare newlines; or what is wrong with it.

    Only a regular file inside the ledger is opened, at most `limit` bytes are read, and nothing blocks.
    """
    try:
        handle = os.open(
            root / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Problem(
                    _shown(path), 1, 1, "E001", "this is not a regular file", "put a plain text file here"
                )
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        return _unreadable(_shown(path), error)
    if len(data) > limit:
        return Problem(
            _shown(path),
            1,
            1,
            "E002",
            f"larger than {limit:,} bytes",
            "split it, or move long text elsewhere",
        )
    return decode(data, _shown(path))


def decode(data: bytes, path: str) -> str | Problem:
    """Return the text of bytes, or the first thing in them that may not stand in a record."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        return Problem(path, line, column, "E003", "not UTF-8 text", "save the file as UTF-8")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if found := unshowable(text):
        line, column = place_of(text, found.start())
        return Problem(
            path, line, column, "E004", f"the character U+{ord(found[0]):04X} cannot be shown", "delete it"
        )
    if found := _CONFLICT.search(text):
        line, column = place_of(text, found.start())
        hint = "settle the conflict and remove its marker lines"
        return Problem(path, line, column, "E005", "an unsettled merge conflict", hint)
    return text


def unshowable(text: str) -> re.Match[str] | None:
    """Return the first character that may not stand in a record, if there is one."""
    return _UNSHOWABLE.search(text)


def place_of(text: str, offset: int) -> tuple[int, int]:
    r"""Return line and column, both counted from 1, of an offset in a text.

    >>> place_of("one\ntwo", 5)
    (2, 2)
    """
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def digest(root: Path, paths: Iterable[str]) -> str:
    """Return the first 12 hex digits of the SHA-256 over the paths and bytes of some files.

    Raises
    ------
    EvidenceError
        When one of them cannot be read.
    """
    total = hashlib.sha256()
    for path in sorted(paths):
        try:
            data = (root / path).read_bytes()
        except OSError as error:
            raise EvidenceError(f"{path} cannot be read: {error.strerror or error}") from error
        total.update(f"{path}\0{len(data)}\0".encode())
        total.update(data)
    return total.hexdigest()[:12]


def write(path: Path, text: str) -> None:
    """Replace `path` by `text`: after a crash either the old text or the new one is there, never half.

    The file keeps its permissions; where `path` is a link, the link is replaced. Nothing is left behind when
    writing fails.

    Raises
    ------
    EvidenceError
        When the disk refuses: full, read-only, or no permission.
    """
    try:
        for old in _stale(path):
            old.unlink(missing_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), _mode(path))
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync(path.parent)
    except OSError as error:
        raise EvidenceError(f"{path} cannot be written: {error.strerror or error}") from error


def _stale(path: Path) -> Iterator[Path]:
    """Yield what killed writers of this very file left behind more than a day ago."""
    newest = path.parent.stat().st_mtime - 86_400
    for old in path.parent.glob(f".{path.name}.*.tmp"):
        if old.stat().st_mtime < newest:
            yield old


def _mode(path: Path) -> int:
    """Return the permissions a file has, or those a new one gets."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0o644


def _sync(folder: Path) -> None:
    """Make a rename in a folder lasting, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _shown(name: str) -> str:
    """Return a file name that is safe to print."""
    return _UNSHOWABLE.sub("\ufffd", name)


def _link(path: str) -> Problem:
    return Problem(path, 1, 1, "E001", "this is a link", "put the file itself here; links are not followed")


def _unreadable(path: str, error: OSError | ValueError) -> Problem:
    reason = getattr(error, "strerror", None) or "it cannot be opened"
    if isinstance(error, OSError) and error.errno == 40:  # ELOOP: O_NOFOLLOW met a link
        return _link(path)
    return Problem(
        path,
        1,
        1,
        "E001",
        f"cannot be read: {reason.lower()}",
        "check that the file is there and may be read",
    )
