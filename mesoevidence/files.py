"""The only access to the disk: find a ledger's files, read one with care, write one whole or not at all."""

import errno
import hashlib
import os
import re
import stat
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from mesoevidence import NOTICE
from mesoevidence.problems import EvidenceError, Problem

SHIPPED = "no ledger here or above: this is the one that ships with mesoevidence"
FOLDERS = ("topics", "claims", "studies", "syntheses")
BIBLIOGRAPHY = "references.bib"
COVERAGE = "evidence/coverage.csv"
_OF_ANY = (
    "Not medical advice, and no systematic review unless its authors show that it is one. A judgement is a "
    "draft unless a reviewer is named."
)
MAX_RECORD_BYTES = 256 * 1024
MAX_BIBLIOGRAPHY_BYTES = 64 * 1024 * 1024

# Control characters, bidirectional overrides, line separators YAML would break at, a byte-order mark
# inside the text, and code points that are no characters.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ufdd0-\ufdef\ud800-\udfff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
    + "]"
)
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_READ = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
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
        why = "there is no such folder; name the folder that holds evidence/"
    elif not (root / "evidence").is_dir():
        why = "it holds no evidence/ folder; `mesoevidence new` shows how to begin"
    else:
        return root
    raise EvidenceError(f"no ledger at {root}: {why}")


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
    try:
        here = Path(start or ".").absolute()
    except FileNotFoundError:  # the current folder is gone
        return None
    return _first_ledger((here, *here.parents))


def _first_ledger(folders: Iterable[Path]) -> Path | None:
    whole = (at for at in folders if (at / "evidence").is_dir() and (at / BIBLIOGRAPHY).is_file())
    return next(whole, None)


def shipped_root() -> Path:
    """Return where the ledger that comes with the library stands: inside the wheel, or beside the package.

    Raises
    ------
    EvidenceError
        When the installation carries none.
    """
    package = Path(__file__).absolute().parent
    if found := _first_ledger((package / "shipped", package.parent)):
        return found
    raise EvidenceError("this installation carries no ledger: reinstall mesoevidence, or name a folder")


def notice(root: Path) -> str:
    """Return what every page says first: what the shipped ledger's makers declare, else what holds of any."""
    try:
        return NOTICE if root.resolve() == shipped_root().resolve() else _OF_ANY
    except EvidenceError:
        return _OF_ANY


def find(root: Path) -> tuple[list[str], list[Problem]]:
    """Return the record files of a ledger as sorted paths from its root, and a problem for each odd thing."""
    if (root / "evidence").is_symlink():
        return [], [_link("evidence")]
    paths: list[str] = []
    problems = list(_astray(root / "evidence"))
    for folder in (f"evidence/{name}" for name in FOLDERS):
        if (root / folder).is_symlink():
            problems.append(_link(folder))
            continue
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(_unreadable(folder, error))
            continue
        for entry in entries:
            taken = _taken(entry, f"{folder}/{entry.name}")
            if isinstance(taken, Problem):
                problems.append(taken)
            elif taken:
                paths.append(taken)
    return paths, problems


def _taken(entry: "os.DirEntry[str]", path: str) -> str | Problem | None:
    """Return the path of a record, what is wrong with what stands there, or None for what nobody reads."""
    if entry.name.startswith("."):
        return None
    if entry.is_symlink():
        return _link(path)
    if entry.is_dir(follow_symlinks=False):
        return _odd(path, "E001", "this is a folder", "records stand directly in their folder")
    if entry.name.lower().endswith((".yml", ".yaml")) and not entry.name.endswith(".yaml"):
        hint = f"rename it to {shown(Path(path).stem)}.yaml"
        return _odd(path, "E012", "a record's file ends in .yaml", hint)
    return path if entry.name.endswith(".yaml") else None


def _astray(base: Path) -> Iterator[Problem]:
    """Yield a problem for each record that stands where nobody would read it."""
    hint = f"move it to evidence/{{{','.join(FOLDERS)}}}/"
    for file in sorted([*base.glob("*.y*ml"), *base.glob("*/*.y*ml")]):
        folder = file.parent.name if file.parent != base else ""
        if folder not in FOLDERS and not folder.startswith(".") and not file.name.startswith("."):
            path = "/".join(("evidence", *([folder] if folder else []), file.name))
            yield _odd(path, "E012", "no record is read from this folder", hint)


def read(root: Path, path: str, limit: int = MAX_RECORD_BYTES) -> str | Problem:
    """Return the text of one file, composed (NFC) and with bare newlines; or what is wrong with it.

    Only a regular file inside the ledger is opened, at most `limit` bytes are read, and nothing blocks.
    """
    data = read_bytes(root, path, limit)
    return data if isinstance(data, Problem) else decode(data, shown(path))


def read_bytes(root: Path, path: str, limit: int = MAX_RECORD_BYTES) -> bytes | Problem:
    """Return the bytes of one regular file inside the ledger, or why they cannot be had; never blocks."""
    try:
        handle = os.open(f"{root}/{path}", _READ)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return _odd(path, "E001", "this is not a regular file", "put a plain text file here")
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        return _unreadable(path, error)
    if len(data) > limit:
        return _odd(path, "E002", f"larger than {limit:,} bytes", "split it, or move long text elsewhere")
    return data


def decode(data: bytes, path: str) -> str | Problem:
    """Return the text of bytes, or the first thing in them that may not stand in a record."""
    text = plain(data)
    return next(flaws(text, path), text)


def plain(data: bytes) -> str:
    """Return the text of bytes, composed and with bare newlines; a byte that is not UTF-8 is a surrogate."""
    text = data.decode("utf-8-sig", "surrogateescape")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def flaws(text: str, path: str) -> Iterator[Problem]:
    """Yield what may not stand in a text: foreign bytes, what cannot be shown, an unsettled conflict."""
    if all(map(str.isprintable, text.split("\n"))) and not any(map(text.count, _MARKERS)):
        return  # ten times as fast as looking for each: nothing that is printable is refused
    for found, place in _placed(_UNSHOWABLE, text):
        sign = ord(found[0])
        if 0xDC80 <= sign <= 0xDCFF:  # what `plain` makes of a byte that is not UTF-8
            yield Problem(path, *place, "E003", "not UTF-8 text", "save the file as UTF-8")
        else:
            yield Problem(path, *place, "E004", f"the character U+{sign:04X} cannot be shown", "delete it")
    for _, place in _placed(_CONFLICT, text):
        hint = "settle the conflict and remove its marker lines"
        yield Problem(path, *place, "E005", "an unsettled merge conflict", hint)


def unshowable(text: str) -> re.Match[str] | None:
    """Return the first character that may not stand in a record, if there is one."""
    return None if text.isprintable() else _UNSHOWABLE.search(text)


def _placed(pattern: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], tuple[int, int]]]:
    """Yield each match with its line and column, both counted from 1; each character is passed once."""
    line, begin, passed = 1, 0, 0
    for found in pattern.finditer(text):
        line += text.count("\n", passed, found.start())
        begin = max(begin, text.rfind("\n", passed, found.start()) + 1)
        passed = found.start()
        yield found, (line, passed - begin + 1)


def digest(root: Path, paths: Iterable[str]) -> str:
    """Return the first 12 hex digits of the SHA-256 over the paths and bytes of some files.

    A file that cannot be read counts with the reason why.
    """
    total = hashlib.sha256()
    for path in sorted(paths):
        data = read_bytes(root, path, MAX_BIBLIOGRAPHY_BYTES)
        content = data.message.encode() if isinstance(data, Problem) else data
        total.update(f"{path}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        total.update(content)
    return total.hexdigest()[:12]


def write(path: Path, content: str | bytes, *, lasting: bool = True) -> None:
    """Replace `path` by text or bytes: after a crash either the old text or the new one is there, never half.

    The file keeps its permissions; where `path` is a link, the link is replaced. Nothing is left behind when
    writing fails. What can be made anew need not be `lasting`: a power failure may then lose it, and a folder
    of thousands of files takes a time linear in their number.

    Raises
    ------
    EvidenceError
        When the disk refuses: full, read-only, or no permission.
    """
    try:
        if lasting:
            for old in _stale(path):
                old.unlink(missing_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode("utf-8") if isinstance(content, str) else content)
                file.flush()
                Path(temporary).chmod(_mode(path))
                if lasting:
                    os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        if lasting:
            _sync(path.parent)
    except OSError as error:
        raise EvidenceError(f"{path} cannot be written: {error.strerror or error}") from error


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where it is not there.

    Raises
    ------
    EvidenceError
        When the disk refuses, or a file stands there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvidenceError(f"{path} cannot be made: {error.strerror}") from error


def _stale(path: Path) -> Iterator[Path]:
    """Yield what killed writers of this very file left behind more than a day ago."""
    newest = path.parent.stat().st_mtime - 86_400
    for old in path.parent.glob(f".{path.name}.*.tmp"):
        try:
            if old.stat().st_mtime < newest:
                yield old
        except FileNotFoundError:  # another writer has just put it in place
            continue


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


def shown(name: str) -> str:
    """Return a file name that is safe to print."""
    return _UNSHOWABLE.sub("\ufffd", name)


def _odd(path: str, code: str, message: str, hint: str) -> Problem:
    """Return what is wrong with a file or folder as a whole."""
    return Problem(shown(path), 1, 1, code, message, hint)


def _link(path: str) -> Problem:
    return _odd(path, "E001", "this is a link", "put the file itself here; links are not followed")


def _unreadable(path: str, error: OSError | ValueError) -> Problem:
    if isinstance(error, OSError) and error.errno == errno.ELOOP:  # O_NOFOLLOW met a link
        return _link(path)
    reason = getattr(error, "strerror", None) or "it cannot be opened"
    hint = "check that the file is there and may be read"
    return _odd(path, "E001", f"cannot be read: {reason.lower()}", hint)
