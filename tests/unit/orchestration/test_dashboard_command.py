import os
import sys

import pytest
from typer.testing import CliRunner

from orchestration.commands.cli import app


@pytest.fixture
def started(monkeypatch) -> list:
    """What the command would have replaced its process with."""
    calls: list = []
    monkeypatch.setattr(os, "execv", lambda path, command: calls.append((path, command)))
    for name in ("MATINEE_WAREHOUSE", "MATINEE_MINIMUM_MEMBERS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return calls


def test_the_dashboard_listens_on_this_machine_only_unless_told_otherwise(started, tmp_path):
    result = CliRunner().invoke(app, ["dashboard", "--warehouse", str(tmp_path)])
    assert result.exit_code == 0, result.output
    ((path, command),) = started
    assert path == sys.executable
    assert command[1:3] == ["-m", "dashboard"]
    assert command[command.index("--server.address") + 1] == "127.0.0.1"
    assert os.environ["MATINEE_WAREHOUSE"] == str(tmp_path)
    assert os.environ["MATINEE_MINIMUM_MEMBERS"] == "50"


def test_host_port_and_minimum_are_handed_on(started, tmp_path):
    arguments = ["--host", "::1", "--port", "9000", "--minimum-members", "10", "--warehouse", str(tmp_path)]
    result = CliRunner().invoke(app, ["dashboard", *arguments])
    assert "http://[::1]:9000" in result.output
    ((_, command),) = started
    assert command[-4:] == ["--server.address", "::1", "--server.port", "9000"]
    assert os.environ["MATINEE_MINIMUM_MEMBERS"] == "10"


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--port", "http"], ["--minimum-members", "0"]])
def test_a_wrong_option_is_refused(started, arguments):
    assert CliRunner().invoke(app, ["dashboard", *arguments]).exit_code == 2
    assert not started
