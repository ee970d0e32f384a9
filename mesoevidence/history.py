"""The only access to git: the text of files as they were, read from its objects and from nothing else."""

import shutil
import subprocess
from pathlib import Path

# No hook, monitor, pager, outside diff, signature check or network: a stranger's folder runs nothing here.
_QUIET = (
    "--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false",
    "-c", "protocol.allow=never", "-c", "log.showSignature=false",
)  # fmt: skip
_SECONDS = 20


def revision_that_wrote(root: Path, path: str, words: str) -> str | None:
    """Return the newest revision that brought these words into a file or took them out, if there is one."""
    asked = ("log", "-1", "--format=%H", "--no-ext-diff", "--no-textconv", f"-S{words}", "--", path)
    found = _git(root, *asked)
    return found.decode("ascii", "replace").strip() or None if found is not None else None


def text(root: Path, revision: str, path: str) -> bytes | None:
    """Return the bytes of a file as a revision holds it; None where it holds none."""
    return _git(root, "cat-file", "blob", f"{revision}:./{path}")


def _git(root: Path, *arguments: str) -> bytes | None:
    """Return what git prints; None where there is no git, no repository, or no such object."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, nothing from a shell
            [git, "-C", str(root), *_QUIET, *arguments], capture_output=True, stdin=subprocess.DEVNULL,
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
