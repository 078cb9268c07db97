"""Running a function on each of many things as tasks of Spark.

Belongs here: handing them out and taking the results. Does not belong here: what is run (`ingest.landing` reads files
so), the session (`orchestration.tools.spark`).
"""

import re
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ingest.errors import IngestError, shorten
from ingest.running import RunEach
from orchestration.progress import counting

T = TypeVar("T")
R = TypeVar("R")

_WAIT = 2
"""Tasks that are handed out for each core: one runs, and one waits for the moment when it is done."""


def run_each_on(session: Any) -> RunEach:
    """Return what runs a function as tasks of Spark, and gives the results in order, the first at once.

    Parameters
    ----------
    session
        A `pyspark.sql.SparkSession`, not one of Spark Connect, for the function is Python's. Workers have Matinee
        installed, and see the folders that the driver sees.
    """
    context = session.sparkContext

    def run(function: Callable[[T], R], things: Sequence[T]) -> Generator[R, None, None]:
        def careful(thing: T) -> R | IngestError:
            try:
                return function(thing)
            except IngestError as error:  # as it is: Spark would give its text alone, in a stack trace
                return error

        def result_of(thing: T) -> R:
            try:
                result = context.parallelize([thing], 1).map(careful).collect()[0]
            except Exception as error:
                raise _lost(thing, error) from error
            if isinstance(result, IngestError):
                raise result
            return result

        pool = ThreadPoolExecutor(max(1, min(context.defaultParallelism * _WAIT, len(things))))
        try:
            with counting("files read by Spark", "files") as tell:
                for done, result in enumerate(pool.map(result_of, things), start=1):
                    tell(done, len(things))
                    yield result
        finally:
            # Where it ends early, what is handed out runs to its end: of a job that is cancelled, Python goes on alone.
            pool.shutdown(cancel_futures=True)

    return run


def _lost(thing: object, error: Exception) -> IngestError:
    # Each cause stands in the words of what it caused.
    causes = re.findall(r"^.*\b\w+(?:Exception|Error): (.+)$", str(error), re.MULTILINE)
    said = next((cause for cause in causes if not cause.startswith("Traceback")), type(error).__name__)
    return IngestError(
        f"Spark could not read it: {shorten(said, 200).rstrip('.')}.",
        next_step="Look at the logs of Spark's executors, give them more memory where it ran out, and run again.",
        where=str(thing),
    )
