"""Tests of batches in engines that distribute work: many processes read the same results as a single one."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from batch_file import snippet, summary, write
from loopback import serve
from result_rows import record
from table import interpreters, with_sources
from together_adapters.batch import BatchError, read_line

HERE = f"CPython {sys.version.split()[0]}" if sys.implementation.name == "cpython" else "PyPy"


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, ...]]]:
    path = tmp_path_factory.mktemp("batch") / "output.jsonl"
    return path, write(path, 5)


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def test_spawned_processes_read_the_same_results(batch: tuple[Path, list[tuple[str, ...]]]) -> None:
    path, expected = batch
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        items = pool.map(read_line, lines_of(path), chunksize=50)
    assert [summary(item) for item in items] == expected
    record(HERE, "batch, multiprocessing spawn", started, passed=len(items))


def test_interpreter_pool_reads_the_same_results(batch: tuple[Path, list[tuple[str, ...]]]) -> None:
    futures = pytest.importorskip("concurrent.futures.interpreter", reason="new in Python 3.14")
    path, expected = batch
    started = time.perf_counter()
    with futures.InterpreterPoolExecutor(2) as pool:
        items = list(pool.map(read_line, lines_of(path), chunksize=50))
    assert [summary(item) for item in items] == expected
    record(HERE, "batch, concurrent.interpreters", started, passed=len(items))


def test_dask_bag_reads_the_same_results(batch: tuple[Path, list[tuple[str, ...]]]) -> None:
    bag = pytest.importorskip("dask.bag")
    path, expected = batch
    started = time.perf_counter()
    items = bag.read_text(str(path), blocksize="64KiB").map(read_line).compute(scheduler="processes", num_workers=2)
    assert [summary(item) for item in items] == expected
    assert snippet("Dask")["texts"](str(path)) == [row[2] for row in expected if row[0] == "result"]
    record(HERE, "batch, Dask bag", started, passed=len(items))


def test_spark_rdd_and_udf_read_the_same_results(
    batch: tuple[Path, list[tuple[str, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = pytest.importorskip("pyspark.sql")
    path, expected = batch
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(item for item in sys.path if item))
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    started = time.perf_counter()
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    try:
        items = session.sparkContext.textFile(str(path), 4).map(read_line).collect()
        assert [summary(item) for item in items] == expected
        assert snippet("Spark")["texts"](session, str(path)) == [row[2] for row in expected if row[0] == "result"]

        def cells(line: str) -> tuple[str, str, str]:
            item = read_line(line)
            found = ("", item.message) if isinstance(item, BatchError) else (item.response.text, "")
            return (item.custom_id or "", *found)

        udf = sql.functions.udf(cells, "struct<custom_id:string,text:string,error:string>", useArrow=False)
        rows = session.read.text(str(path)).select(udf("value").alias("found")).select("found.*").collect()
        assert sorted((row.custom_id, row.text, row.error) for row in rows) == sorted(
            cells(line.decode()) for line in lines_of(path)
        )
    finally:
        session.stop()
    record(HERE, "batch, PySpark RDD and UDF", started, passed=len(items) + len(rows))


PICKLE = """
import pickle, sys
from together_adapters.batch import iter_results
from together_adapters.stream import iter_chunks
items = [pickle.dumps(list(iter_results(sys.argv[1])), protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
stream = iter_chunks([b'data: {"error": {"message": "no"}}\\n\\n'])
try:
    list(stream)
except Exception as error:
    items.append(pickle.dumps(error))
sys.stdout.buffer.write(pickle.dumps(items))
"""
READ = """
import pickle, sys
sys.path.insert(0, sys.argv[1])
from batch_file import summary
*items, error = pickle.loads(sys.stdin.buffer.read())
found = [[summary(item) for item in pickle.loads(data)] for data in items]
assert all(one == found[0] for one in found)
assert pickle.loads(error).completion.state == "errored"
print(len(items), len(found[0]))
"""


@pytest.mark.parametrize("written_by", interpreters())
def test_pickles_of_one_version_load_in_the_others(written_by: str, batch: tuple[Path, list[tuple[str, ...]]]) -> None:
    path, expected = batch
    started = time.perf_counter()
    pickled = subprocess.run(
        [interpreters()[written_by], "-c", PICKLE, str(path)], capture_output=True, env=with_sources(), check=True
    ).stdout
    for read_by, python in interpreters().items():
        command = [python, "-c", READ, str(Path(__file__).parent)]
        done = subprocess.run(command, input=pickled, capture_output=True, env=with_sources())
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        assert int(done.stdout.split()[1]) == len(expected), read_by
    record(written_by, "pickles, loaded by the others", started, passed=len(interpreters()))


def test_results_of_a_large_file_are_read_in_constant_memory(tmp_path: Path) -> None:
    """A file that is a hundred times as large takes at most 1.2 times the memory."""
    pytest.importorskip("resource")
    code = (
        "import resource, sys; from together_adapters.batch import iter_results\n"
        "count = sum(1 for _ in iter_results(sys.argv[1]))\n"
        "print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for times in (1, 100):
        expected = write(tmp_path / "output.jsonl", times)
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "output.jsonl")],
            capture_output=True,
            text=True,
            env=with_sources(),
            check=True,
        )
        count, peak = map(int, done.stdout.split())
        assert count == len(expected)
        peaks.append(peak)
    assert peaks[1] < peaks[0] * 1.2


def test_snippets_for_sqs_and_asyncio_return_the_results(batch: tuple[Path, list[tuple[str, ...]]]) -> None:
    asyncio = pytest.importorskip("asyncio")
    path, expected = batch
    records = [{"messageId": str(number), "body": line.decode()} for number, line in enumerate(lines_of(path))]
    failures = snippet("SQS")["handler"]({"Records": records}, None)
    assert failures == {
        "batchItemFailures": [{"itemIdentifier": str(n)} for n, row in enumerate(expected) if row[0] == "error"]
    }

    from together_adapters import AsyncTogether

    with serve(b'data: {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}\n\n') as url:

        async def ask() -> list[str]:
            async with AsyncTogether(api_key="key", base_url=url) as client:
                found: list[str] = await snippet("asyncio")["ask_all"](client, ["a", "b", "c"], 2)
                return found

        assert asyncio.run(ask()) == ["hi"] * 3
