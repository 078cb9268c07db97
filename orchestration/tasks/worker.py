"""Processes for machine learning: they import while dbt works, and judge, draw and train beside each other and dbt.

Belongs here: starting them, handing them a task, waiting for what comes back. Does not belong here: their own side
(`orchestration.tasks.worker_process`), the tasks (`orchestration.tasks.worker_tasks`), Dagster.

scikit-learn and matplotlib take 3 s to import and the plots 3 s to draw, all of it with the interpreter held; a
thread of the run's own process would only take turns with dbt, and tasks of one worker with each other. Tasks and
answers go through pipes, so the workers end with the run that started them, however that ends.
"""

import atexit
import json
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import IO, Any

from orchestration import costs
from orchestration.progress import Progress, doing

TASKS = "orchestration.tasks.worker_tasks"
"""The module whose functions the worker runs."""
_MOST = 2 if sys.platform == "linux" else 1
"""Workers: while a step waits for one task it is the next step's that is done meanwhile. A Mac's own libraries
do not survive a fork."""
RESULT, ERROR, PROGRESS = "result", "error", "progress"
"""Kinds of message from the worker; a task sends any number of the last, then one of the others, with its CPU time."""


class WorkerError(RuntimeError):
    """The worker process ended before it answered."""


class Answer(Future[Any]):
    """What a task gives, and until then how far it is."""

    progress = Progress()
    cpu_seconds = 0.0
    """What the task took of its worker."""


class Worker:
    """One worker process.

    Parameters
    ----------
    requests, answers
        Ends of the pipes to the worker.
    """

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests, self._answered = requests, answers
        self._answers: dict[int, Answer] = {}
        self._numbers = count()
        self._lock = threading.Lock()
        self._has_ended = False
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """Whether it still takes tasks."""
        return not self._has_ended

    @property
    def load(self) -> int:
        """Tasks that it has not answered."""
        return len(self._answers)

    def submit(self, task: str, *args: Any) -> Answer | None:
        """Begin a task; its errors come out of the future. None where the worker has ended and takes no task."""
        answer = Answer()
        with self._lock:
            number = next(self._numbers)
            self._answers[number] = answer
            try:
                send(self._requests, (number, task, args))
            except BrokenPipeError:
                del self._answers[number]
                self._has_ended = True
                return None
            if self._has_ended:
                self._abandon()
        return answer

    def close(self) -> None:
        """End it; a task under way is given up."""
        with suppress(BrokenPipeError):
            self._requests.close()

    def _listen(self) -> None:
        try:
            while True:
                number, kind, value, cpu_seconds = receive(self._answered)
                if kind == PROGRESS:
                    self._answers[number].progress = value
                    continue
                answer = self._answers.pop(number)
                answer.cpu_seconds = cpu_seconds
                if kind == ERROR:
                    answer.set_exception(value)
                else:
                    answer.set_result(value)
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
"""Those of this process; none before they are needed, and others after all died."""
_processes: list[subprocess.Popen[bytes]] = []
"""Those that were started and forked the others off, for whose time they answer when they end."""
_under_way: dict[bytes, Answer] = {}
"""By task and arguments, pickled: not all arguments can be hashed."""


def start_workers() -> list[Worker]:
    """Return the workers of this process that live, started where there are none."""
    _workers[:] = [worker for worker in _workers if worker.is_alive]
    if not _workers:
        _workers[:] = _started(min(_MOST, os.cpu_count() or 1))
    return _workers


def close_workers() -> None:
    """End the workers of this process; tasks under way are given up."""
    for worker in _workers:
        worker.close()
    while _processes:
        process = _processes.pop()
        process.wait()
        costs.helpers.discard(process.pid)


def _started(number: int) -> list[Worker]:
    """Start a process that forks off the others once it has imported: imports take seconds and memory."""
    requests, answers = ([os.pipe() for _ in range(number)] for _ in range(2))
    theirs = [(taken, given) for (taken, _), (_, given) in zip(requests, answers, strict=True)]
    if not _processes:
        atexit.register(close_workers)
    started = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "orchestration.tasks.worker_process", TASKS, json.dumps(theirs)],
        stdin=subprocess.DEVNULL,
        stdout=2,  # what a library prints is no result of the run
        pass_fds=[end for pair in theirs for end in pair],
    )
    _processes.append(started)
    costs.helpers.add(started.pid)
    for end in (end for pair in theirs for end in pair):
        os.close(end)
    return [
        Worker(os.fdopen(asked, "wb"), os.fdopen(answered, "rb"))
        for (_, asked), (answered, _) in zip(requests, answers, strict=True)
    ]


def begin(task: str, *args: Any) -> None:
    """Begin a task whose result `run` will be asked for with the same arguments."""
    _under_way[pickle.dumps((task, args))] = _submit(task, *args)


def run(task: str, *args: Any) -> Any:
    """Return what a task gives, begun earlier or now.

    Raises
    ------
    WorkerError
        When the process ended in the middle of it (out of memory, killed).
    Exception
        Whatever the task raised.
    """
    answer = _under_way.pop(pickle.dumps((task, args)), None) or _submit(task, *args)
    with doing(lambda: answer.progress):
        try:
            return answer.result()
        finally:
            costs.spent(answer.cpu_seconds)


def _submit(task: str, *args: Any) -> Answer:
    """Give a task to the worker that has least to do."""
    while True:
        worker = min(start_workers(), key=lambda worker: worker.load)
        if answer := worker.submit(task, *args):
            return answer


def send(pipe: IO[bytes], message: Any) -> None:
    """Write one message."""
    pipe.write(pickle.dumps(message))
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one message; EOFError when the other side is gone."""
    return pickle.load(pipe)  # noqa: S301 - from the process that this one started, or that started it
