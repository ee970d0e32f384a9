"""How long `load()` takes beside PyYAML's C loader composing the same files, and how its cost grows.

Run: ``python benchmarks/load.py [records ...]`` (default: 1000 10000). Each size is measured in one run, one
process per subject, the best of three turns (one for larger sizes), and shown as a ratio; memory is the peak
of the process that loads.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOPIC = """\
id: topic
label: A generated topic
populations: {adults: {label: Adults}}
interventions: {active: {label: Active}, control: {label: Control}}
outcomes: {response: {label: Improved or not, type: dichotomous, better: higher, importance: critical}}
"""
STUDY = """\
# yaml-language-server: $schema=../schema/study.json
id: study-{i}
status: draft
by: mesoevidence
reports: [ref{i}]
design: rct
read: abstract
population: [adults]
funding: not-reported
interests: "none declared in the pages that were read"
arms:
  active: {{intervention: active, n: {n}, detail: "0.05 %, 2 mL, nappage technique over the whole vertex"}}
  control: {{intervention: control, n: {n}, detail: "physiological saline, same volume and schedule"}}
regimen: "12 sessions over 16 weeks, weekly at first and then every fortnight"
follow_up: "week 18"
results:
  - id: photographs
    outcome: response
    time: week 18
    analysed: unclear
    values:
      active: {{events: {e}, n: {n}}}
      control: {{events: 7, n: {n}}}
    p: {{operator: "<", value: 0.05, test: not-stated}}
    from: {{ref: ref{i}, at: "abstract", method: reported, figures: "{e} of {n} v 7 of {n}, p < 0.05"}}
  - id: self-assessed
    outcome: response
    time: week 12
    values:
      active: {{events: {e}, n: {n}}}
      control: {{events: 7, n: {n}}}
    from: {{ref: ref{i}, at: "abstract, results", method: reported, figures: "{e} of {n} v 7 of {n}"}}
flags:
  - {{code: W329, what: "no spread of the continuous outcomes in the part that was read", why: "not seen"}}
not_seen: [volume, pages, allocation, counts of adverse events]
"""
REFERENCE = """\
@article{{ref{i},
  author  = {{M{{\\"u}}ller{i}, Hans and Abd-Elaziz{i}, Ghada and {{Some Working Group}}}},
  title   = {{A generated study number {i} of one treatment against another}},
  journal = {{Journal of Generated Results}},
  year    = {{2013}}, volume = {{27}}, pages = {{686--693}}, doi = {{10.1111/generated.{i}}},
  x-status = {{none}}, x-status-on = {{2026-11-22}},
}}
"""

COMPOSE = """
import sys, time, yaml
from pathlib import Path
texts = [path.read_bytes() for path in sorted(Path(sys.argv[1]).glob("evidence/*/*.yaml"))]
start = time.perf_counter()
for text in texts:
    yaml.compose(text, Loader=yaml.CLoader)
print(time.perf_counter() - start)
"""
LOAD = """
import resource, sys, time
import mesoevidence as me
me.load
start = time.perf_counter()
evidence = me.load(sys.argv[1])
took = time.perf_counter() - start
assert not [p for p in evidence.problems if p.severity == "error"], evidence.problems[:3]
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, len(evidence.ledger.records))
"""
BARE = "import pydantic, yaml, bibtexparser, scipy.special"
# An installed library has its bytecode beside it; where none may be written, each run would compile ours anew
# and only ours.
AS_INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def generate(folder: Path, records: int) -> None:
    """Write a ledger of that many studies, one reference each."""
    studies = folder / "evidence" / "studies"
    studies.mkdir(parents=True)
    (folder / "evidence" / "topics").mkdir()
    (folder / "evidence" / "topics" / "topic.yaml").write_text(TOPIC)
    for i in range(records):
        (studies / f"study-{i}.yaml").write_text(STUDY.format(i=i, n=40 + i % 50, e=20 + i % 20))
    (folder / "references.bib").write_text("\n".join(REFERENCE.format(i=i) for i in range(records)))


def run(code: str, *arguments: str) -> list[float]:
    """Return the numbers that a piece of code prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]


def walls(*commands: list[str], times: int = 9) -> list[float]:
    """Return the shortest wall time of each command; they take turns, so that noise is fair to all."""
    taken = [[wall(command) for command in commands] for _ in range(times)]
    return [min(column) for column in zip(*taken, strict=True)]


def wall(command: list[str]) -> float:
    """Return the wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, env=AS_INSTALLED, capture_output=True, check=False)
    return time.perf_counter() - start


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [1_000, 10_000]
    print(f"{'records':>9} {'compose s':>10} {'load s':>8} {'ratio':>6} {'ms/record':>10} {'MiB':>6}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            generate(Path(name), size)
            turns = 3 if size <= 10_000 else 1
            pairs = [(run(COMPOSE, name), run(LOAD, name)) for _ in range(turns)]
            compose = min(first[0] for first, _ in pairs)
            t, memory, n = min(second for _, second in pairs)
            ratio, each = t / compose, 1000 * t / n
            print(f"{int(n):>9,} {compose:>10.2f} {t:>8.2f} {ratio:>6.2f} {each:>10.3f} {memory:>6.0f}")
    bare, check = walls([sys.executable, "-c", BARE], [sys.executable, "-m", "mesoevidence", "check"])
    print(f"\nmesoevidence check {check:.2f} s, bare imports {bare:.2f} s, ratio {check / bare:.2f}")


if __name__ == "__main__":
    main()
