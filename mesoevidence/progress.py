"""Progress of long work: a bar for each step and how long it takes, on a terminal, and nothing elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Steps:
    """The steps of a work, each of which counts its parts."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def begin(self, name: str, parts: int) -> None:
        """Begin a step of so many parts; the one before it is over."""
        self._task = self._bar.add_task(name, total=parts)

    def advance(self) -> None:
        """Count one more part of the step as done."""
        if self._task is not None:
            self._bar.advance(self._task)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Steps]:
    """Show the steps of a work on the error stream, where that is a terminal and nobody asked for quiet."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        yield Steps(bar)
