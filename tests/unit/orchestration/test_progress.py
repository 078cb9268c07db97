"""Who waits longer than two seconds is told what is done and how far it is, on standard error and nowhere else."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from orchestration import progress
from orchestration.settings import PROJECT_ROOT

_STEPS = """
import os, sys, time
from types import SimpleNamespace
from orchestration.commands import cli
from orchestration.progress import counting, doing
from orchestration.tools.step_lines import _ProgressHandler

steps = _ProgressHandler()

def step(name, kind, seconds=0):
    data = SimpleNamespace(duration_ms=1000 * seconds)
    event = SimpleNamespace(step_key=name, event_type_value=f"STEP_{kind}", event_specific_data=data)
    steps.emit(SimpleNamespace(dagster_event=event))

@cli.app.command()
def work() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # as Dagster does, which keeps it in the log of the run
    step("quick", "START")
    with doing("something short"):
        time.sleep(1)
    step("quick", "SUCCESS", 1)
    step("slow__part", "START")
    with counting("fitting", "fits") as tell:
        for at in range(100):
            tell(at, 100)
            time.sleep(0.04)
    step("slow__part", "SUCCESS", 4)
    print("the answer")

@cli.app.command()
def wait() -> None:
    with doing("waiting"):
        time.sleep(600)

cli.main()
"""
_EVALUATE = """
from orchestration import progress
from orchestration.commands import cli
progress._PATIENCE, progress.TICK, progress._BETWEEN_LINES = 0, 0.01, 0
cli.main()
"""


class Said:
    """What a command wrote; standard error is a terminal's where asked for."""

    def __init__(self, script: str, *args: str, terminal: bool, **environment: str) -> None:
        self._terminal, theirs = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *args],
            cwd=PROJECT_ROOT,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", **environment},
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        self.raw = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        found = b""
        while True:
            try:
                more = os.read(self._terminal, 65_536)
            except OSError:  # how a terminal says that nobody is left to write
                break
            if not more:
                break
            found += more
            self.raw = found.decode(errors="replace")
        os.close(self._terminal)

    def end(self) -> "Said":
        out, _ = self.process.communicate(timeout=120)
        self._reader.join()
        self.out = out.decode()
        return self


def left_on_screen(raw: str) -> list[str]:
    """Return the lines that are there at the end, of what was written to a terminal."""
    lines, row, column = [""], 0, 0
    for code, sign in re.findall(
        r"\x1b\[([0-9;?]*[A-Za-z])|(.|\n)", raw.replace("\r\n", "\n\r"), flags=re.DOTALL
    ):
        if code == "2K":
            lines[row] = ""
        elif code.endswith("A"):
            row -= int(code[:-1] or 1)
        elif sign == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif sign == "\r":
            column = 0
        elif sign:
            lines[row] = lines[row][:column].ljust(column) + sign + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines if line.strip()]


@pytest.fixture(scope="module")
def worked() -> list[Said]:
    """What the same steps say in a file, at a terminal, and at one that cannot move its cursor, side by side."""
    places = ({"terminal": False}, {"terminal": True, "NO_COLOR": "1"}, {"terminal": True, "TERM": "dumb"})
    return [said.end() for said in [Said(_STEPS, "work", **place) for place in places]]


@pytest.fixture(scope="module")
def in_a_file(worked) -> Said:
    return worked[0]


@pytest.fixture(scope="module")
def at_a_terminal(worked) -> Said:
    return worked[1]


_ENDED = [
    "  ✓ quick                                          1.0 s",
    "  ✓ slow/part                                      4.0 s",
]


def test_a_step_under_two_seconds_says_nothing_but_that_it_ended(in_a_file, at_a_terminal):
    assert in_a_file.raw.splitlines()[0].rstrip() == _ENDED[0]
    assert "something short" not in in_a_file.raw + at_a_terminal.raw


def test_where_the_output_is_no_terminal_there_are_whole_lines_only(in_a_file):
    assert not re.search(r"[\r\x1b]", in_a_file.raw)
    (line,) = [line for line in in_a_file.raw.splitlines() if "…" in line]
    assert re.fullmatch(r"  … slow/part: fitting: \d+ of 100 fits, \d+/s, \d s", line)


def test_at_a_terminal_a_bar_goes_on_and_is_gone_when_the_step_has_ended(at_a_terminal):
    shown = [
        int(done)
        for done in re.findall(r"slow/part: fitting .*? (\d+) of 100 fits, \d+/s, \d s", at_a_terminal.raw)
    ]
    assert len(set(shown)) > 1
    assert shown == sorted(shown)
    assert left_on_screen(at_a_terminal.raw) == _ENDED


def test_no_color_is_heard(at_a_terminal):
    colours = {"31", "32", "33", "34", "35", "36", "90", "91", "92"}
    codes = {part for code in re.findall(r"\x1b\[([0-9;]*)m", at_a_terminal.raw) for part in code.split(";")}
    assert not codes & colours
    assert "38" not in codes


def test_nothing_of_it_is_on_standard_output(in_a_file, at_a_terminal):
    assert in_a_file.out == at_a_terminal.out == "the answer\n"


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(worked):
    assert "fitting" in worked[2].raw
    assert not re.search(r"\x1b", worked[2].raw)


@pytest.fixture(scope="module")
def interrupted() -> Said:
    said = Said(_STEPS, "wait", terminal=True)
    deadline = time.monotonic() + 60
    while "waiting" not in said.raw and time.monotonic() < deadline:
        time.sleep(0.1)
    said.process.send_signal(signal.SIGINT)
    return said.end()


def test_control_c_leaves_a_clean_line_and_the_cursor(interrupted):
    assert interrupted.process.returncode == 130
    assert not [line for line in left_on_screen(interrupted.raw) if "waiting" in line]
    assert interrupted.raw.rindex("\x1b[?25h") > interrupted.raw.rindex("\x1b[?25l")


def test_where_nobody_knows_how_much_there_is_there_is_no_bar(interrupted, at_a_terminal):
    assert "━" in at_a_terminal.raw
    assert "waiting" in interrupted.raw
    assert "━" not in interrupted.raw


@pytest.mark.parametrize("terminal", [False, True])
def test_the_json_of_evaluate_is_all_that_stands_on_standard_output(tmp_path, terminal):
    for name, start in (("train.csv", 0), ("test.csv", 3)):
        rows = [
            f"{user},{(user + item) % 9 + start % 2},{1 + item % 5}"
            for user in range(30)
            for item in range(start, start + 3)
        ]
        (tmp_path / name).write_text("\n".join(["user_id,item_id,rating", *rows]))
    files = ["--train", str(tmp_path / "train.csv"), "--test", str(tmp_path / "test.csv")]
    said = Said(_EVALUATE, "evaluate", *files, "--model", "popular", terminal=terminal).end()
    assert said.process.returncode == 0, said.raw
    assert json.loads(said.out)["model"] == "popular"
    assert said.out.count("\n") == 1
    assert "judging" in said.raw


def test_a_function_is_never_asked_once_its_block_is_left(monkeypatch):
    monkeypatch.setattr(progress, "_PATIENCE", 0)
    monkeypatch.setattr(progress, "TICK", 0.001)
    is_open, asked_late = True, []

    def look() -> progress.Progress:
        asked_late.append(not is_open)
        return progress.Progress("reading")

    with progress.shown(io.StringIO()):
        for _ in range(50):
            is_open = True
            with progress.doing(look):
                time.sleep(0.002)
            is_open = False
    assert asked_late
    assert not any(asked_late)


def test_what_was_under_way_is_forgotten_when_it_fails():
    with pytest.raises(ValueError, match="broken"), progress.doing("breaking"):
        raise ValueError("broken")
    assert progress.under_way(threading.get_ident()) is None
