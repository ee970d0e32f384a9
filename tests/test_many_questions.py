"""The many-question form is a pure function that other engines can run on parts of a table."""

import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mesoevidence as me
from benchmarks.pooling import adversarial, ended

PAGE = (Path(__file__).parent.parent / "docs" / "many-questions.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
STUDIES, DASK, SPARK = (next(text for text in BLOCKS if word in text) for word in ("pd.", "dask", "pyspark"))


def many(questions=60):
    """Return questions of one to nine studies, their rows mixed."""
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 10, questions)
    names = np.repeat([f"question {i}" for i in range(questions)], sizes)
    yi, vi = rng.normal(0.3, 0.5, len(names)), rng.uniform(0.01, 0.5, len(names))
    frame = pd.DataFrame({"question": names, "yi": yi, "vi": vi, "measure": "SMD"})
    return frame.sample(frac=1, random_state=1, ignore_index=True)


def test_a_part_of_the_questions_gives_the_same_rows_to_the_bit():
    frame = many()
    whole = me.pool(frame, by="question")
    half = frame["question"].isin(whole["question"][::2])
    parts = [me.pool(frame[rows], by="question") for rows in (half, ~half)]
    together = pd.concat(parts).sort_values("question", ignore_index=True)
    pd.testing.assert_frame_equal(together, whole, check_exact=True)


def test_the_function_travels_to_another_process_and_leaves_its_table_alone():
    assert pickle.loads(pickle.dumps(me.pool)) is me.pool
    frame = many()
    before = frame.copy()
    again = pickle.loads(pickle.dumps(me.pool(frame, by="question")))
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(again, me.pool(frame, by="question"))


def test_the_first_lines_of_the_page_pool_both_questions():
    names = {}
    exec(STUDIES, names)
    pooled = names["pooled"].set_index("question")
    assert pooled["k"].to_dict() == {"density": 2, "pain": 3}
    assert pooled["measure"].to_dict() == {"density": "MD", "pain": "SMD"}


def test_the_schema_that_the_page_gives_to_spark_fits_the_rows():
    arrow = pytest.importorskip("pyarrow")
    frame = me.pool(many(), by="question")
    names = {"empty": frame.iloc[:0]}
    exec(SPARK.split("\n\n")[1], names)
    kinds = {"string": arrow.string(), "bigint": arrow.int64(), "double": arrow.float64()}
    fields = [(name, kinds[kind]) for name, kind in (part.split() for part in names["schema"].split(", "))]
    table = arrow.Table.from_pandas(frame, schema=arrow.schema(fields), preserve_index=False)
    assert table.num_rows == len(frame)
    assert table.column("k").to_pylist() == frame["k"].tolist()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_two_dask_workers_give_the_same_rows():
    pytest.importorskip("dask.dataframe")
    distributed = pytest.importorskip("distributed")
    frame = many(300)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        names = {"studies": frame, "me": me}
        exec(DASK, names)
        parts, empty = names["parts"], names["empty"]
        lazy = parts.map_partitions(me.pool, by="question", meta=empty).persist()
        distributed.wait(lazy)
        used = {worker for workers in client.who_has(lazy).values() for worker in workers}
    assert len(used) == 2
    whole = me.pool(frame, by="question")
    rows = (
        names["pooled"].sort_values("question", ignore_index=True).astype(whole.dtypes)
    )  # Dask has its own text
    pd.testing.assert_frame_equal(rows, whole, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["REML", "ML", "EB", "PM"])
def test_every_iteration_ends_at_a_solution_however_hard_the_sets(method):
    assert ended(adversarial(20_000), method) == (20_000, 20_000)
