"""How long the report takes to write, its pages to be usable in a browser, and its search to answer.

Run: ``python benchmarks/report.py`` (some minutes; the browser needs the extra `peers` and chromium).
The large ledger is made up: two claims for every five studies. The pages are those of the shipped ledger,
its notebooks executed: the front page, the search, and the heaviest of the others. Each is opened seven
times, in a window of its own; the table has the median and the slowest, from the start of the navigation.
A search takes from the key to the next frame; the first is typed as soon as the page can take it.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import mesoevidence as me

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests import ledgers

CHROMIUM = Path("/usr/bin/chromium")
SEARCH = """async (words) => {
  const field = document.querySelector("[name=words]"), begun = performance.now();
  field.value = words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - begun;
}"""

FIRST = """window.answered = new Promise((done) => addEventListener("DOMContentLoaded", () => {
  const field = document.querySelector("[name=words]");
  if (!field) return done();
  field.value = "1000 times";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(() => setTimeout(() => done(performance.now())));
}))"""
TIMES = """async () => {
  const answered = await window.answered, [paint] = performance.getEntriesByName("first-contentful-paint");
  return [paint?.startTime, performance.getEntriesByType("navigation")[0].loadEventEnd, answered];
}"""
HEAVIEST, OPENED = 6, 7


def ledger(folder: Path, claims: int, studies: int) -> Path:
    """Write a made-up ledger."""
    files = {"evidence/claims/tea-keeps-awake.yaml": None}
    for at in range(studies):
        files[f"evidence/studies/smith-{at}.yaml"] = ledgers.STUDY.replace("smith-2001", f"smith-{at}")
    for at in range(claims):
        text = ledgers.CLAIM.replace("tea-keeps-awake", f"tea-{at}").replace("smith-2001", f"smith-{at}")
        files[f"evidence/claims/tea-{at}.yaml"] = text.replace("Green tea", f"Green tea number {at}")
    return ledgers.write(folder, files)


def main() -> None:
    """Print a line for each size, then the pages of the shipped ledger, then the searches in the largest."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name:
        for size in (100, 300, 1000):
            evidence = me.load(ledger(Path(name) / f"ledger-{size}", 2 * size, 5 * size))
            begun = time.perf_counter()
            large = me.write_report(evidence, Path(name) / f"report-{size}", execute=False)
            seconds = time.perf_counter() - begun
            print(f"{7 * size} records: {seconds:.1f} s, {1000 * seconds / (7 * size):.1f} ms a record")
        shipped = me.write_report(me.load(Path(__file__).parent.parent), Path(name) / "shipped").parent
        with sync_playwright() as running:
            browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            first = [shipped / "index.html", shipped / "find.html"]
            by_size = sorted(shipped.rglob("*.html"), key=lambda path: -path.stat().st_size)
            heavy = [path for path in by_size if path not in first][:HEAVIEST]
            usable(browser, shipped, [*first, *heavy])
            usable(browser, large.parent, [large.parent / "find.html"])
            search(browser, large.parent / "find.html")
            browser.close()


def usable(browser, folder: Path, pages: list[Path]) -> None:
    """Print a table of when something is seen, when all is loaded, and when a first search is answered."""
    heads = ("first paint", "load event ended", "first answer")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'median (slowest), ms':<34}{'kB':>6}" + "".join(f"{head:>20}" for head in heads))
    for path in pages:
        opened = [one(browser, path) for _ in range(OPENED)]
        columns = [[time for time in times if time is not None] for times in zip(*opened, strict=True)]
        told = [f"{median(column):.0f} ({max(column):.0f})" if column else "" for column in columns]
        name, size = path.relative_to(folder).as_posix(), path.stat().st_size / 1000
        print(f"{name:<34}{size:>6.0f}" + "".join(f"{text:>20}" for text in told))


def one(browser, path: Path) -> list[float | None]:
    """Open a page in a new window and return its times."""
    context = browser.new_context()
    window = context.new_page()
    window.add_init_script(FIRST)
    window.goto(path.as_uri())
    times = window.evaluate(TIMES)
    context.close()
    return times


def search(browser, page: Path) -> None:
    """Print how long searches take in a browser."""
    window = browser.new_page()
    window.goto(page.as_uri())
    for words in ("tea number 19", "smith-4", "tea", "nothing has this", ""):
        print(f"{words!r}: {window.evaluate(SEARCH, words):.0f} ms, {window.inner_text('#count')}")


if __name__ == "__main__":
    main()
