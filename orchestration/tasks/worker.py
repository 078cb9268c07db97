"""A second process for machine learning: it imports while dbt works, and draws while dbt builds the marts.

Belongs here: starting it, handing it a task, waiting for what comes back. Does not belong here: its own side
(`orchestration.tasks.worker_process`), the tasks (`orchestration.tasks.worker_tasks`), Dagster.

scikit-learn and matplotlib take 3 s to import and the plots 3 s to draw, all of it with the interpreter held; a
thread of the run's own process would only take turns with dbt. Tasks and answers go through the worker's standard
input and output, so it ends with the run that started it, however that ends.
"""

import atexit
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future
from itertools import count
from typing import IO, Any

from orchestration.progress import Progress, doing

TASKS = "orchestration.tasks.worker_tasks"
"""The module whose functions the worker runs."""
RESULT, ERROR, PROGRESS = "result", "error", "progress"
"""Kinds of message from the worker; a task sends any number of the last, and then one of the others."""


class WorkerError(RuntimeError):
    """The worker process ended before it answered."""


class Answer(Future[Any]):
    """What a task gives, and until then how far it is."""

    progress = Progress()


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "orchestration.tasks.worker_process", TASKS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._answers: dict[int, Answer] = {}
        self._numbers = count()
        self._lock = threading.Lock()
        self._has_ended = False
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """Whether it still takes tasks."""
        return not self._has_ended

    def submit(self, task: str, *args: Any) -> Answer:
        """Begin a task; its errors come out of the future."""
        answer = Answer()
        with self._lock:
            number = next(self._numbers)
            self._answers[number] = answer
            try:
                send(_pipe(self._process.stdin), (number, task, args))
            except BrokenPipeError:
                self._has_ended = True
            if self._has_ended:
                self._abandon()
        return answer

    def close(self) -> None:
        """End the process; a task under way is given up."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        try:
            while True:
                number, kind, value = receive(_pipe(self._process.stdout))
                if kind == PROGRESS:
                    self._answers[number].progress = value
                elif kind == ERROR:
                    self._answers.pop(number).set_exception(value)
                else:
                    self._answers.pop(number).set_result(value)
        except EOFError:
            pass
        finally:  # whatever ended it: nobody must wait for an answer that cannot come
            with self._lock:
                self._has_ended = True
                self._abandon()

    def _abandon(self) -> None:
        while self._answers:
            _, answer = self._answers.popitem()
            answer.set_exception(WorkerError("the worker process ended in the middle of a task"))


_workers: list[Worker] = []
"""The one of this process; none before it is needed, and another after it died."""
_under_way: dict[bytes, Answer] = {}
"""By task and arguments, pickled: not all arguments can be hashed."""


def start_worker() -> Worker:
    """Return the worker of this process, started where there is none."""
    if not (_workers and _workers[-1].is_alive):
        _workers[:] = [Worker()]
        atexit.register(_workers[-1].close)
    return _workers[-1]


def begin(task: str, *args: Any) -> None:
    """Begin a task whose result `run` will be asked for with the same arguments."""
    _under_way[pickle.dumps((task, args))] = start_worker().submit(task, *args)


def run(task: str, *args: Any) -> Any:
    """Return what a task gives, begun earlier or now.

    Raises
    ------
    WorkerError
        When the process ended in the middle of it (out of memory, killed).
    Exception
        Whatever the task raised.
    """
    answer = _under_way.pop(pickle.dumps((task, args)), None) or start_worker().submit(task, *args)
    with doing(lambda: answer.progress):
        return answer.result()


def send(pipe: IO[bytes], message: Any) -> None:
    """Write one message."""
    pipe.write(pickle.dumps(message))
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one message; EOFError when the other side is gone."""
    return pickle.load(pipe)  # noqa: S301 - from the process that this one started, or that started it


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - both were asked for
    return pipe
