"""How long pooling takes beside its peers, in one run, on the same numbers; and whether it always ends.

Run: ``python benchmarks/pooling.py`` (about three minutes; needs the extra `peers`, and R with metafor if it
is to be compared). Every time is the best of several. Ours goes from a DataFrame to a DataFrame (or from a
DataFrame to a `Pooled`) with every column filled; a peer is given arrays that are laid out as it wants them
before the clock starts, and builds no frame. What is too slow to run whole is timed on the first questions
and scaled, which the table says. All use REML with Hartung-Knapp where they have it; statsmodels has
Paule-Mandel, and metafor is timed inside R.
"""

import gc
import os
import platform
import shutil
import subprocess
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import mesoevidence as me

SEED = 20261122
METAFOR = """
suppressMessages(library(metafor))
given <- commandArgs(trailingOnly = TRUE)
d <- read.csv(given[1])
fit <- function(s) suppressWarnings(try(rma(yi, vi, data = s, method = "REML", test = "knha"), silent = TRUE))
failed <- function(m) inherits(m, "try-error")
interval <- function(m) if (!failed(m)) suppressWarnings(try(confint(m), silent = TRUE))
sets <- split(d, d$question)
fits <- lapply(sets, fit)
took <- Inf
for (i in seq_len(as.integer(given[3]))) {
  start <- Sys.time()
  if (given[2] == "confint") lapply(fits, interval) else lapply(sets, fit)
  took <- min(took, as.numeric(difftime(Sys.time(), start, units = "secs")))
}
tau2 <- vapply(fits, function(m) if (failed(m)) NA else m$tau2, 0)
cat(took, sum(is.na(tau2)), format(tau2, digits = 15), as.character(packageVersion("metafor")))
"""


def draw(k: np.ndarray, seed: int = SEED) -> pd.DataFrame:
    """Return questions of k studies each, whose true effects differ not at all, little or much."""
    rng = np.random.default_rng(seed)
    tau2 = np.repeat(rng.choice([0.0, 0.02, 0.1, 0.5], len(k)), k)
    vi = rng.uniform(0.01, 0.4, k.sum())
    yi = rng.normal(np.repeat(rng.normal(0.2, 0.3, len(k)), k), np.sqrt(vi + tau2))
    return pd.DataFrame({"question": np.repeat(np.arange(len(k)), k), "yi": yi, "vi": vi})


def cochrane(number: int) -> pd.DataFrame:
    """Return questions with 1 to 200 studies, half of them with one or two, as in Cochrane reviews."""
    rng = np.random.default_rng(SEED)
    more = np.clip(np.round(np.exp(rng.normal(1.6, 0.9, number))) + 1, 3, 200)
    return draw(np.where(rng.random(number) < 0.5, rng.integers(1, 3, number), more).astype(int))


def adversarial(number: int) -> pd.DataFrame:
    """Return questions made to be hard: many magnitudes, near ties, one huge weight, far from zero."""
    rng = np.random.default_rng(SEED)
    frame = draw(rng.integers(2, 15, number))
    question = frame["question"].to_numpy()
    kind = rng.integers(0, 8, number)[question]
    yi, vi, n = frame["yi"].to_numpy().copy(), frame["vi"].to_numpy().copy(), len(frame)
    vi = np.where(kind == 0, 10.0 ** rng.uniform(-10, 10, n), vi)
    yi = np.where(kind == 1, rng.normal(0, 1, n) * 10.0 ** rng.uniform(-6, 6, n), yi)
    yi = np.where(kind == 2, yi * 1e-6, yi)
    vi = np.where((kind == 3) & (rng.random(n) < 0.2), 1e-12, vi)
    yi = np.where(kind == 4, yi + 1e6, yi)
    vi = np.where(kind == 5, 0.1, vi)
    yi = np.where((kind == 5) & (rng.random(n) < 0.5), 0.25, yi)
    yi = np.where((kind == 6) & (rng.random(n) < 0.15), yi + rng.choice([-1e3, 1e3], n), yi)
    return frame.assign(yi=yi, vi=vi)


def best(*works: Callable[[], Any], times: int, inner: int = 1) -> list[float]:
    """Return the shortest time of each, taken in turns so that a busy machine is busy for all."""
    taken = [float("inf")] * len(works)
    gc.collect()
    gc.disable()
    for _ in range(times):
        for i, work in enumerate(works):
            start = time.perf_counter()
            for _ in range(inner):
                work()
            taken[i] = min(taken[i], (time.perf_counter() - start) / inner)
    gc.enable()
    return taken


def arrays(frame: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return effects and variances of every question as arrays of their own."""
    return [
        (part["yi"].to_numpy().copy(), part["vi"].to_numpy().copy()) for _, part in frame.groupby("question")
    ]


def statsmodels_loop(sets: list[tuple[np.ndarray, np.ndarray]]) -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    for yi, vi in sets:
        result = combine_effects(yi, vi, method_re="iterated", use_t=True)
        result.conf_int()
        result.test_homogeneity()


def statsmodels_bare(sets: list[tuple[np.ndarray, np.ndarray]]) -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    for yi, vi in sets:
        combine_effects(yi, vi, method_re="iterated")


def statsmodels_frame(sets: list[tuple[np.ndarray, np.ndarray]]) -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    for yi, vi in sets:
        combine_effects(yi, vi, method_re="iterated", use_t=False).summary_frame()


def pymare_loop(sets: list[tuple[np.ndarray, np.ndarray]], interval: bool = False) -> Any:
    """Fit each set by REML with Knapp-Hartung, its default; sets may be 2-D, questions in columns."""
    from pymare import Dataset
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    for yi, vi in sets:
        fitted = VarianceBasedLikelihoodEstimator(method="REML").fit_dataset(Dataset(yi, vi)).summary()
        fitted.get_fe_stats()
        fitted.get_heterogeneity_stats()
        if interval:
            fitted.get_re_stats()
    return fitted


def buckets(frame: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the questions in 2-D, those of equal k together, questions in columns."""
    k = frame.groupby("question")["yi"].transform("size")
    return [
        (part["yi"].to_numpy().reshape(-1, size).T.copy(), part["vi"].to_numpy().reshape(-1, size).T.copy())
        for size, part in frame.groupby(k)
    ]


def metafor(frame: pd.DataFrame, what: str, times: int) -> tuple[float, int, np.ndarray, str] | str:
    """Return seconds inside R, how many sets got no answer, tau2 and version; or why it cannot be timed."""
    if shutil.which("Rscript") is None:
        return "skipped: there is no Rscript"
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder) / "data.csv", Path(folder) / "metafor.R"
        frame.to_csv(data, index=False, float_format="%.17g")
        script.write_text(METAFOR)
        done = subprocess.run(
            ["Rscript", script, data, what, str(times)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        return f"skipped: {done.stderr.strip().splitlines()[-1]}"
    took, lost, *tau2, version = done.stdout.split()
    return float(took), int(lost), np.array([float(word.replace("NA", "nan")) for word in tau2]), version


Row = tuple[str, str, float | str, str, float | None]


def against_metafor(
    task: str, frame: pd.DataFrame, what: str, first: int, whole: int, times: int, target: float | None
) -> Row:
    """Return a row of the table for metafor, scaled from the first questions to all of them."""
    got = metafor(frame[frame["question"] < first], what, times)
    if isinstance(got, str):
        return task, "metafor", got, "", target
    took, lost, _, version = got
    how = f"{first} of {whole:,}, scaled; no answer on {lost}" if first < whole else "inside R"
    return task, f"metafor {version} {what}", took * whole / first, how, target


def one_question() -> Iterator[Row]:
    """Time one question of ten studies."""
    task, n = "one question, k = 10, mean of 20", 20
    frame = draw(np.full(n, 10))
    sets = arrays(frame)
    studies = [pd.DataFrame({"yi": yi, "vi": vi}) for yi, vi in sets]
    works: dict[str, tuple[Callable[[], Any], str, float | None]] = {
        "me.pool": (lambda: [me.pool(one) for one in studies], "", None)
    }
    if find_spec("statsmodels"):
        works |= {
            "statsmodels, no interval or p": (lambda: statsmodels_bare(sets), "PM", None),
            "statsmodels, intervals and Q": (lambda: statsmodels_loop(sets), "PM", 1.0),
            "statsmodels, summary_frame": (lambda: statsmodels_frame(sets), "PM", 1.0),
        }
    if find_spec("pymare"):
        works["PyMARE"] = (lambda: pymare_loop(sets), "", None)
    took = best(*(work for work, _, _ in works.values()), times=60, inner=3)
    for seconds, (name, (_, how, target)) in zip(took, works.items(), strict=True):
        yield task, name, seconds / n, how, target
    _, name, seconds, *_ = against_metafor(task, frame, "fit", n, n, 20, None)
    yield task, name, seconds if isinstance(seconds, str) else seconds / n, "inside R", None


def many_questions() -> Iterator[Row]:
    """Time 10,000 questions of ten studies, alone and with the interval of tau2."""
    n, task = 10_000, "10,000 questions, k = 10"
    frame = draw(np.full(n, 10))
    sets = arrays(frame[frame["question"] < 1_000])
    both = [(frame["yi"].to_numpy().reshape(n, 10).T.copy(), frame["vi"].to_numpy().reshape(n, 10).T.copy())]
    works: dict[str, tuple[Callable[[], Any], int, float | None]] = {
        "me.pool": (lambda: me.pool(frame, by="question"), n, None)
    }
    if find_spec("pymare"):
        works["PyMARE 2-D"] = (lambda: pymare_loop(both), n, 2.0)
        works["PyMARE looped"] = (lambda: pymare_loop(sets[:200]), 200, 500.0)
    if find_spec("statsmodels"):
        works["statsmodels looped, PM"] = (lambda: statsmodels_loop(sets), len(sets), 20.0)
    yield from in_turns(task, works, n)
    yield against_metafor(task, frame, "fit", 500, n, 5, 500.0)
    task = "the same with the Q-profile interval"
    works = {"me.pool": (lambda: me.pool(frame, by="question", tau2_ci=True), n, None)}
    if find_spec("pymare"):
        works["PyMARE looped"] = (lambda: pymare_loop(sets[:100], interval=True), 100, None)
    yield from in_turns(task, works, n)
    yield against_metafor(task, frame, "confint", 300, n, 5, 100.0)


def in_turns(
    task: str, works: dict[str, tuple[Callable[[], Any], int, float | None]], whole: int
) -> Iterator[Row]:
    """Time works in turns; one that takes the first questions only is scaled to all of them."""
    took = best(*(work for work, _, _ in works.values()), times=12)
    for seconds, (name, (_, part, target)) in zip(took, works.items(), strict=True):
        how = "" if part == whole else f"first {part:,} of {whole:,}, scaled"
        yield task, name, seconds * whole / part, how, target


def ragged_questions() -> Iterator[Row]:
    """Time 10,000 questions of different sizes."""
    frame, n = cochrane(25_000), 10_000
    size = frame.groupby("question")["yi"].transform("size")
    frame = frame[size > 1]
    frame = frame.assign(question=pd.factorize(frame["question"])[0])
    frame = frame[frame["question"] < n]
    laid = buckets(frame)
    task = f"10,000 ragged questions, k = 2 to {max(len(yi) for yi, _ in laid)}"
    works = {"me.pool": (lambda: me.pool(frame, by="question"), n, None)}
    if find_spec("pymare"):
        works["PyMARE 2-D in buckets"] = (lambda: pymare_loop(laid), n, 4.0)
    yield from in_turns(task, works, n)


def compared() -> None:
    """Print the table of times."""
    print(f"{'task':<38} {'subject':<30} {'time':>11} {'ratio':>8} {'target':>7}  how")
    ours = 1.0
    for work in (one_question, many_questions, ragged_questions):
        for task, subject, took, how, target in work():
            if isinstance(took, str):
                print(f"{task:<38} {subject:<30} {took}")
                continue
            ours = took if subject == "me.pool" else ours
            ratio, shown = f"{took / ours:,.1f}", f"{1000 * took:,.3f} ms" if took < 1 else f"{took:,.2f} s"
            wanted = "" if target is None else f"{target:g}"
            verdict = "" if target is None or took / ours >= target else "  MISSED"
            print(f"{task:<38} {subject:<30} {shown:>11} {ratio:>8} {wanted:>7}  {how}{verdict}", flush=True)


def grows() -> None:
    """Print how time and memory grow with the rows."""
    print(f"\n{'questions':>9} {'rows':>9} {'k <= 2':>7} {'s':>7} {'us/row':>7} {'MiB':>5} {'bytes/row':>9}")
    frames = [cochrane(number) for number in (25_000, 50_000, 100_000, 200_000)]
    took = best(*(lambda frame=frame: me.pool(frame, by="question") for frame in frames), times=8)
    for frame, seconds in zip(frames, took, strict=True):
        sizes, rows = frame.groupby("question").size(), len(frame)
        tracemalloc.start()
        me.pool(frame, by="question")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"{len(sizes):>9,} {rows:>9,} {100 * (sizes <= 2).mean():>5.0f} % {seconds:>7.3f}"
            f" {1e6 * seconds / rows:>7.2f} {peak / 2**20:>5.0f} {peak / rows:>9.0f}"
        )
    large = draw(np.array([100_000]))[["yi", "vi"]]
    (seconds,) = best(lambda: me.pool(large), times=10)
    print(f"one question of k = 100,000: {seconds:.3f} s (target 0.2)")


def ended(frame: pd.DataFrame, method: str) -> tuple[int, int]:
    """Return how many questions have an answer, and on how many it solves the estimator's equation.

    The likelihood must be no larger one part in a hundred to either side; Q must be its degrees of freedom.
    """
    rows = me.pool(frame, by="question", method=method)
    tau2 = rows["tau2"].to_numpy()
    question, yi, vi = (frame[name].to_numpy() for name in ("question", "yi", "vi"))
    total = lambda values: np.bincount(question, values)  # noqa: E731
    yi = yi - (total(yi) / total(np.ones(len(yi))))[question]
    least = np.full(len(tau2), np.inf)
    np.minimum.at(least, question, vi)

    def spread(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w = 1 / (vi + at[question])
        q = total(w * (yi - (total(w * yi) / total(w))[question]) ** 2)
        likely = q + total(-np.log(w)) + (np.log(total(w)) if method == "REML" else 0)
        return q, -likely / 2

    q, here = spread(tau2)
    if method in ("EB", "PM"):
        df = rows["k"].to_numpy(dtype=float) - 1
        solved = np.where(tau2 > 0, np.abs(q - df) <= 1e-6 * df, q <= df * (1 + 1e-9))
    else:
        noise = 1e-10 * (1 + np.abs(here) + total(np.abs(np.log(vi))))
        near = np.maximum(tau2 * 0.01, 1e-6 * least * (tau2 == 0))
        lower, higher = spread(np.maximum(tau2 - near, 0))[1], spread(tau2 + near)[1]
        solved = (here + noise >= lower) & (here + noise >= higher)
    return int(np.isfinite(tau2).sum()), int(solved.sum())


def always_ends() -> None:
    """Print on how many random and adversarial questions every iterative estimator ends, and ends rightly."""
    print(f"\n{'100,000 sets':<14} {'method':<7} {'answers':>9} {'solve the equation':>19}")
    rng = np.random.default_rng(SEED)
    for name, frame in (
        ("random", draw(rng.integers(2, 30, 100_000))),
        ("adversarial", adversarial(100_000)),
    ):
        for method in ("REML", "ML", "EB", "PM"):
            answers, solved = ended(frame, method)
            print(f"{name:<14} {method:<7} {answers:>9,} {solved:>19,}", flush=True)


def agreement() -> None:
    """Print how far tau2 lies from the peers' on the first questions."""
    frame = draw(np.full(500, 10))
    ours = me.pool(frame, by="question")["tau2"].to_numpy()
    got = metafor(frame, "fit", 1)
    if not isinstance(got, str):
        known = np.isfinite(got[2])
        far = np.abs(ours - got[2])[known].max()
        print(f"\nlargest distance of tau2 from metafor's, which stops at 1e-5: {far:.1e}")
    if find_spec("pymare"):
        theirs = pymare_loop(buckets(frame)).tau2
        print(f"largest distance of tau2 from PyMARE's: {np.abs(ours - np.ravel(theirs)).max():.1e}")


def machine() -> str:
    """Return what the numbers were measured on."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, pandas {pd.__version__}"
    return f"{os.cpu_count()} cores, {(names or [platform.machine()])[0]}, {versions}, load {load()}"


def load() -> str:
    """Return how many processes want to run, where the system tells."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def main() -> None:
    warnings.simplefilter("ignore")
    print(machine())
    compared()
    agreement()
    grows()
    always_ends()
    print(f"load at the end {load()}")


if __name__ == "__main__":
    main()
