"""Set up an environment of its own and run one job: report, test, test --all, docs or clean."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import venv
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = Path(os.environ.get("MESOEVIDENCE_VENV", HERE / ".venv"))
OLDEST = (3, 11)
EXTRAS = ("dev", "dev,docs", "dev,docs,peers")  # each holds the one before it
WORK = re.compile(r"(?:Collecting|Downloading|Building) [\w.-]+|Installing \w+ \w+")  # what pip says it does
USAGE = """\
python3 run.py report [--output FOLDER] [--no-execute]   check the ledger, run the notebooks, write report/
python3 run.py report --format docx --topic ID           write the reviewer's document of a topic
python3 run.py test [--all]                              run the tests; --all adds the slow ones
python3 run.py docs                                      build the documentation into docs/_build/html/
python3 run.py clean                                     remove .venv, report/ and caches"""


def main(arguments: list[str]) -> int:
    """Run the job named first and return its exit code."""
    job, *rest = arguments or [""]
    if job == "clean":
        return clean()
    if job not in ("report", "test", "docs"):
        say(USAGE if not job else f"there is no job {job!r}\n{USAGE}")
        return 2
    if sys.version_info < OLDEST:
        return newer(arguments)
    everything = job == "test" and "--all" in rest
    python = set_up(EXTRAS[2 if everything else 1 if job == "docs" else 0])
    if python is None:
        return 1
    rest = [word for word in rest if word != "--all"]
    marker = ["-m", "slow or not slow"] if everything else []
    command = {
        "report": ["mesoevidence", "report"],
        "test": ["pytest", *marker],
        "docs": ["sphinx", "-W", "--keep-going", "-q", "docs", "docs/_build/html"],
    }[job]
    if job == "docs":
        say(f"building {HERE / 'docs/_build/html/index.html'}")
    return subprocess.run([str(python), "-m", *command, *rest], cwd=HERE, check=False).returncode


def newer(arguments: list[str]) -> int:
    """Start again with a newer Python where there is one, else say what is needed."""
    for minor in range(20, OLDEST[1] - 1, -1):
        if found := shutil.which(f"python3.{minor}"):
            return subprocess.run([found, str(HERE / "run.py"), *arguments], check=False).returncode
    needed, here = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:2]))
    say(f"mesoevidence needs Python {needed} or newer; this is {here}, and no newer one was found")
    return 1


def set_up(extras: str) -> Path | None:
    """Make the environment unless its stamp says that it is as it should be; return its Python."""
    python = (
        VENV / ("Scripts" if os.name == "nt" else "bin") / ("python.exe" if os.name == "nt" else "python")
    )
    stamp, wanted = VENV / ".stamp", [stamp_of(more) for more in EXTRAS[EXTRAS.index(extras) :]]
    if works(python) and stamp.is_file() and stamp.read_text(errors="replace") in wanted:
        return python
    say(f"setting up {VENV} (only the first time; it takes a minute or three)")
    if not works(python):
        shutil.rmtree(VENV, ignore_errors=True)
        create()
    pip = [str(python), "-m", "pip"]
    if not works(python, "import pip"):
        if not find_spec("pip"):
            say("this Python has neither ensurepip nor pip: install the package python3-venv or python3-pip")
            return None
        pip = [sys.executable, "-m", "pip", "--python", str(python)]
    brief = ["--progress-bar=off", "--disable-pip-version-check", "--no-warn-script-location"]
    if said([*pip, "install", *brief, "-c", str(HERE / "constraints.txt"), "-e", f"{HERE}[{extras}]"]):
        return None
    stamp.write_text(stamp_of(extras))
    return python


def create() -> None:
    """Make the environment, without pip where Python lacks ensurepip."""
    try:
        venv.create(VENV, with_pip=find_spec("ensurepip") is not None)
    except subprocess.CalledProcessError:
        venv.create(VENV, with_pip=False)


def stamp_of(extras: str) -> str:
    """Return what must be unchanged for an environment to be taken as it is."""
    parts = [(HERE / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    parts += [word.encode() for word in (extras, sys.version, str(HERE))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def works(python: Path, code: str = "") -> bool:
    """Return whether an interpreter is there and runs a line."""
    try:
        return subprocess.run([str(python), "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:  # it is not there, is no program, or may not be run
        return False


def said(command: list[str]) -> int:
    """Run pip, saying every now and then for how long and what it is at; return its exit code."""
    begun, done, at = time.monotonic(), threading.Event(), ["looking for packages"]
    seen = sys.stderr.isatty()

    def speak() -> None:
        while not done.wait(1 if seen else 15):
            line = f"installing, {time.monotonic() - begun:.0f} s: {at[-1]}"
            print(f"\r{line:<79}" if seen else line, end="" if seen else "\n", file=sys.stderr, flush=True)

    threading.Thread(target=speak, daemon=True).start()
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace") as pip:
        for line in pip.stdout or ():
            if words := WORK.match(line.strip()):
                at[-1] = words[0].lower()[:50]
    done.set()
    how = "installed" if pip.returncode == 0 else "failed"
    say(f"{how} after {time.monotonic() - begun:.0f} s".ljust(79))
    return pip.returncode


def say(text: str) -> None:
    """Print to the error stream, over a line that is still moving."""
    print(f"{chr(13)}{text}" if sys.stderr.isatty() else text.rstrip(), file=sys.stderr, flush=True)


def clean() -> int:
    """Remove what the other jobs made."""
    for name in (
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        "report",
        "dist",
        "build",
        "docs/_build",
    ):
        shutil.rmtree(HERE / name, ignore_errors=True)
    for cache in [path for path in HERE.rglob("__pycache__") if VENV not in path.parents]:
        shutil.rmtree(cache, ignore_errors=True)
    shutil.rmtree(VENV, ignore_errors=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
