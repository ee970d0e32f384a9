"""How long the report of a large ledger takes to write, and its search to answer in a browser.

Run: ``python benchmarks/report.py`` (a minute; the search needs the extra `peers` and chromium).
The ledger is made up: two claims for every five studies. A search takes from the key to the next frame.
"""

import sys
import tempfile
import time
from pathlib import Path

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
    """Print a line for each size, then the searches in the largest."""
    with tempfile.TemporaryDirectory() as name:
        for size in (100, 300, 1000):
            evidence = me.load(ledger(Path(name) / f"ledger-{size}", 2 * size, 5 * size))
            begun = time.perf_counter()
            index = me.write_report(evidence, Path(name) / f"report-{size}", execute=False)
            seconds = time.perf_counter() - begun
            print(f"{7 * size} records: {seconds:.1f} s, {1000 * seconds / (7 * size):.1f} ms a record")
        search(index.parent / "find.html")


def search(page: Path) -> None:
    """Print how long searches take in a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        window = browser.new_page()
        window.goto(page.as_uri())
        for words in ("tea number 19", "smith-4", "tea", "nothing has this", ""):
            print(f"{words!r}: {window.evaluate(SEARCH, words):.0f} ms, {window.inner_text('#count')}")
        browser.close()


if __name__ == "__main__":
    main()
