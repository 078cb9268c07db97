"""The workers' own side: processes that run tasks of one module until the pipe they come from closes.

Belongs here: taking tasks and answering. Does not belong here: who asks (`orchestration.tasks.worker`).
"""

import gc
import io
import json
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import IO, Any

from threadpoolctl import threadpool_limits

from ml.recommendation.errors import RecommendationError
from ml.segmentation.errors import SegmentationError
from orchestration.progress import TICK, under_way
from orchestration.stores.segmentations import ModelDamagedError
from orchestration.tasks.worker import ERROR, PROGRESS, RESULT, WorkerError, receive, send

_SIDE_BY_SIDE = 16
"""Tasks at once: a step need not wait for the plots of other segmentations, which wait for each other."""


def serve(module: str, pipes: Sequence[tuple[int, int]]) -> None:
    """Run tasks of a module, in a process for each pair of pipes: where tasks come from, where answers go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the run, and that ends this process
    gc.disable()  # what imports leave is there to stay: the collector need not look for it, now or later
    tasks = import_module(module)
    # Tasks share the cores; one that lifts its own limit on BLAS would lift it for another, whose sums would change.
    threadpool_limits(1, "blas")
    gc.freeze()
    gc.enable()
    mine = next((at for at in range(1, len(pipes)) if os.fork() == 0), 0)
    for requests, answers in (*pipes[:mine], *pipes[mine + 1 :]):
        # Another's: it must be seen to end when that one does.
        os.close(requests)
        os.close(answers)
    _answer(tasks, os.fdopen(pipes[mine][0], "rb"), os.fdopen(pipes[mine][1], "wb"))


def _answer(tasks: ModuleType, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Run tasks until `requests` closes."""
    lock = threading.Lock()
    at_work: dict[int, int] = {}
    """Thread to the number of the task that it runs."""
    shares: dict[int, float] = {}
    """Number of a task to its CPU seconds: what the process takes while several are at work is equally theirs."""
    counted = time.process_time()

    def share_out() -> None:
        nonlocal counted
        since, counted = counted, time.process_time()
        for number in at_work.values():
            shares[number] = shares.get(number, 0.0) + (counted - since) / len(at_work)

    def work(number: int, task: Callable[..., Any], args: tuple[Any, ...]) -> None:
        thread, kind = threading.get_ident(), RESULT
        with lock:
            share_out()
            at_work[thread] = number
        try:
            value = task(*args)
        except Exception as caught:
            kind, value = ERROR, _as_sent(caught)
        with lock:
            share_out()
            del at_work[thread]
            send(answers, (number, kind, value, shares.pop(number)))

    def tell() -> None:
        while True:
            time.sleep(TICK)
            with lock:
                for thread, number in at_work.items():
                    if progress := under_way(thread):
                        send(answers, (number, PROGRESS, progress, None))

    pool = ThreadPoolExecutor(_SIDE_BY_SIDE)
    threading.Thread(target=tell, daemon=True).start()
    while True:
        try:
            number, name, args = receive(requests)
        except EOFError:
            # It is over for the others too: what they took is counted with this one.
            with suppress(ChildProcessError):
                while os.wait():
                    pass
            os._exit(0)  # nobody waits any more, not even for a task under way
        pool.submit(work, number, getattr(tasks, name), args)


def _as_sent(error: Exception) -> Exception:
    """Return the error if it survives the way, else one with its words; say where an unexpected one arose."""
    if not isinstance(error, SegmentationError | RecommendationError | ModelDamagedError):
        traceback.print_exception(error)
    try:
        receive(io.BytesIO(pickle.dumps(error)))
    except Exception:
        return WorkerError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
