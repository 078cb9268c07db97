"""A task runs in a second process: its result, its error and the death of the process all come back."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ml.segmentation.errors import SegmentationError
from orchestration.costs import Costs, measured
from orchestration.tasks import worker

TASKS = """
import os, time
from ml.segmentation.errors import SegmentationError

def add(a, b): return a + b
def refuse(): raise SegmentationError("too few rows")
def unsendable():
    class LocalError(Exception): ...
    raise LocalError("made in a function")
def count_to(n, path):
    from orchestration.progress import counting
    with counting("counting", "parts") as tell:
        tell(n - 1, n)
        return wait_for(path)
def chatter(): print("not an answer"); return "heard"
def wait(seconds): time.sleep(seconds); return os.getpid()
def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until: pass
def wait_for(path):
    deadline = time.monotonic() + 30
    while not os.path.exists(path):
        if time.monotonic() > deadline: return "never came"
        time.sleep(0.01)
    return "came"
"""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Workers of these tasks; a test that ends one leaves the next test another."""
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "some_tasks.py").write_text(TASKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setattr(worker, "TASKS", "some_tasks")
        patch.setattr(worker, "_workers", [])
        patch.setattr(worker, "_processes", [])
        yield worker
        worker.close_workers()


def test_a_task_gives_its_result(tasks):
    assert tasks.run("add", 2, 3) == 5


def test_a_task_begun_earlier_is_not_run_twice(tasks):
    tasks.begin("wait", 0.01)
    assert tasks.run("wait", 0.01) == tasks._processes[0].pid
    assert not tasks._under_way


def test_who_waits_for_a_task_learns_how_far_it_is(tasks, tmp_path):
    answer = tasks.start_workers()[0].submit("count_to", 5, str(tmp_path / "goes on"))
    deadline = time.monotonic() + 30
    while not answer.progress.total and time.monotonic() < deadline:
        time.sleep(0.01)
    (tmp_path / "goes on").touch()
    assert answer.result() == "came"
    assert answer.progress == ("counting", 4, 5, "parts")


def test_an_error_comes_back_as_it_was_raised(tasks):
    with pytest.raises(SegmentationError, match="too few rows"):
        tasks.run("refuse")
    assert tasks.run("add", 1, 1) == 2


def test_an_error_that_cannot_travel_comes_back_in_words(tasks):
    with pytest.raises(worker.WorkerError, match="LocalError: made in a function"):
        tasks.run("unsendable")


def test_what_a_library_prints_is_no_answer(tasks):
    assert tasks.run("chatter") == "heard"


def test_the_cpu_time_of_a_task_is_that_of_the_stage_that_asks_for_it(tasks):
    tasks.run("add", 1, 2)
    taken = Costs()
    tasks.begin("burn", 0.3)
    tasks.run("wait", 0.4)
    with measured(taken):
        tasks.run("burn", 0.3)
    assert taken.cpu_seconds >= 0.3
    waited = Costs()
    with measured(waited):
        tasks.run("wait", 0.1)
    assert waited.cpu_seconds < 0.1


def test_two_tasks_run_side_by_side(tasks, tmp_path):
    tasks.begin("wait_for", str(tmp_path / "ready"))
    assert tasks.run("add", 1, 2) == 3
    (tmp_path / "ready").touch()
    assert tasks.run("wait_for", str(tmp_path / "ready")) == "came"


def test_a_task_goes_to_the_worker_that_has_least_to_do(tasks, tmp_path):
    tasks.begin("wait_for", str(tmp_path / "ready"))
    busy = tasks._processes[0].pid
    assert tasks.run("wait", 0.0) != busy
    (tmp_path / "ready").touch()
    assert tasks.run("wait_for", str(tmp_path / "ready")) == "came"


def test_a_killed_worker_is_an_error_and_the_next_task_gets_another(tasks):
    tasks.begin("wait", 60.0)
    tasks._processes[0].kill()
    with pytest.raises(worker.WorkerError, match="ended in the middle"):
        tasks.run("wait", 60.0)
    assert tasks.run("add", 1, 2) == 3


def test_the_workers_end_with_the_process_that_started_them():
    script = (
        "from orchestration.tasks import worker; import time; worker.TASKS = 'os'; "
        "print(*(w.submit('getpid').result() for w in worker.start_workers()), flush=True)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", f"{script}; time.sleep(60)"], stdout=subprocess.PIPE, text=True
    )
    children = set(map(int, parent.stdout.readline().split()))
    assert len(children) == (2 if sys.platform == "linux" else 1)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 30
    while any(map(is_running, children)):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.1)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
