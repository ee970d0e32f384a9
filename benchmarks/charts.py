"""How long a forest plot takes from the data to SVG, beside statsmodels' and forestplot's, in one run.

Run: ``python benchmarks/charts.py`` (about a minute; needs the extra `peers`, and forestplot if it is to be
compared). The time is the best of several, after one run to load fonts. Ours pools, lays out from measured
text and draws arms, weights, squares, diamond, prediction interval, notes and, where said, risk of bias;
statsmodels draws points and bars without a table, forestplot monospaced text without weights or diamond.
"""

import io
import platform
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import mesoevidence as me

SEED = 20261125
Draw = Callable[[pd.DataFrame, pd.DataFrame | None], str]
DOMAINS = ("randomisation", "deviations", "missing-data", "measurement", "selection", "overall")


def trials(k: int) -> pd.DataFrame:
    """Return made-up trials with counts in two arms."""
    random = np.random.default_rng(SEED)
    n1, n2 = random.integers(40, 4000, k), random.integers(40, 4000, k)
    risk = random.uniform(0.05, 0.3, k)
    frame = pd.DataFrame({"slab": [f"Author {n} {1950 + n % 70}" for n in range(k)], "n1i": n1, "n2i": n2})
    ai = random.binomial(n1, np.clip(risk * np.exp(random.normal(-0.5, 0.4, k)), 0.01, 0.9))
    return frame.assign(ai=ai, ci=random.binomial(n2, risk))


def bias(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a judgement of every domain."""
    levels = np.random.default_rng(SEED).choice(["low", "some-concerns", "high"], (len(frame), len(DOMAINS)))
    rows = [(slab, name, word) for slab, words in zip(frame["slab"], levels, strict=True)
            for name, word in zip(DOMAINS, words, strict=True)]  # fmt: skip
    return pd.DataFrame(rows, columns=["study", "domain", "judgement"])


def ours(frame: pd.DataFrame, rob: pd.DataFrame | None) -> str:
    return me.forest(me.pool(frame, measure="RR"), rob=rob, rows_a_page=1000).svg()


def saved(figure: Any) -> str:
    held = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):  # real text, as ours: faster than outlines
        figure.savefig(held, format="svg", bbox_inches="tight")
    plt.close("all")
    return held.getvalue()


def statsmodels(frame: pd.DataFrame, rob: pd.DataFrame | None) -> str:
    from statsmodels.stats.meta_analysis import combine_effects

    effects = me.effect_sizes(frame, "RR")
    pooled = combine_effects(
        effects["yi"].to_numpy(), effects["vi"].to_numpy(), row_names=list(frame["slab"])
    )
    figure, axes = plt.subplots(figsize=(6, 1 + 0.25 * len(frame)))
    pooled.plot_forest(ax=axes)
    return saved(figure)


def forestplot(frame: pd.DataFrame, rob: pd.DataFrame | None) -> str:
    from forestplot import forestplot as draw

    effects = me.effect_sizes(frame, "RR")
    half = 1.96 * np.sqrt(effects["vi"])
    ends = {"est": effects["yi"], "ll": effects["yi"] - half, "hl": effects["yi"] + half}
    table = pd.DataFrame({name: np.exp(values) for name, values in ends.items()})
    table = table.assign(label=frame["slab"], events=frame["ai"].astype(str), total=frame["n1i"].astype(str))
    words = {"annote": ["events", "total", "est_ci"], "annoteheaders": ["Events", "Total", "RR"]}
    shape = {"logscale": True, "figsize": (6, 1 + 0.25 * len(frame))}
    axes = draw(table, estimate="est", ll="ll", hl="hl", varlabel="label", **words, **shape)
    return saved(axes.figure)


def best(draw: Draw, frame: pd.DataFrame, rob: pd.DataFrame | None, times: int) -> tuple[float, int]:
    """Return the best time in seconds, and how large the SVG is."""
    size, took = len(draw(frame, rob)), float("inf")
    for _ in range(times):
        start = time.perf_counter()
        draw(frame, rob)
        took = min(took, time.perf_counter() - start)
    return took, size


def main() -> None:
    """Print one line a chart."""
    warnings.simplefilter("ignore")
    peers = [("mesoevidence", ours), ("statsmodels", statsmodels), ("forestplot", forestplot)]
    print(f"Python {platform.python_version()}, matplotlib {version('matplotlib')}")
    for k, times in ((13, 7), (200, 3)):
        frame = trials(k)
        for name, draw in peers:
            if find_spec(name) is None:
                print(f"{k:4d} studies  {name:13s} not installed")
                continue
            for rob in (bias(frame), None) if name == "mesoevidence" else (None,):
                took, size = best(draw, frame, rob, times)
                extra = " with risk of bias" if rob is not None else ""
                print(f"{k:4d} studies  {name:13s} {took:6.2f} s, {size / 1024:5.0f} KiB{extra}")


if __name__ == "__main__":
    main()
