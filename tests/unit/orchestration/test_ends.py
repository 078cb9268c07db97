"""However a command's output ends, it ends quietly: no traceback for a letter, a closed pipe or Ctrl-C."""

import os
import signal
import subprocess
import sys

import pytest

from orchestration.settings import PROJECT_ROOT

_SAYS = r"""
import sys, time
from rich.console import Console
from rich.table import Table
from orchestration.commands import cli

@cli.app.command()
def say(what: str) -> None:
    if what == "table":
        table = Table("title")
        table.add_row("Velli\u00f3n \u6771\u4eac")
        Console().print(table)
    if what == "much":
        for _ in range(100_000):
            print("Velli\u00f3n")
    if what == "wait":
        print("waits", flush=True)
        time.sleep(600)

cli.main()
"""


def say(what: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", _SAYS, "say", what],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    "terminal",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_a_terminal_without_the_letters_shows_a_mark_in_their_place(terminal):
    done = say("table", **terminal)
    said, complaint = done.communicate()
    assert (done.returncode, complaint) == (0, "")
    assert "Velli?n ??" in said


def test_a_reader_that_has_had_enough_is_no_failure():
    done = say("much")
    assert done.stdout.readline()
    done.stdout.close()
    assert (done.stderr.read(), done.wait()) == ("", 0)


def test_control_c_ends_without_a_traceback():
    done = say("wait")
    assert done.stdout.readline() == "waits\n"
    done.send_signal(signal.SIGINT)
    _, complaint = done.communicate()
    assert done.returncode == 130
    assert "Traceback" not in complaint
