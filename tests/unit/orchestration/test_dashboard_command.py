import os
import socket
import sys

import pytest
from typer.testing import CliRunner

from dashboard.settings import minimum_members
from orchestration.commands.cli import app


@pytest.fixture
def started(monkeypatch) -> list:
    """What the command would have replaced its process with."""
    calls: list = []
    monkeypatch.setattr(os, "execv", lambda path, command: calls.append((path, command)))
    for name in ("MATINEE_WAREHOUSE", "MATINEE_MINIMUM_MEMBERS", "MATINEE_DASHBOARD_NAMES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return calls


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_the_dashboard_listens_on_this_machine_only_unless_told_otherwise(started, tmp_path, free_port):
    result = CliRunner().invoke(app, ["dashboard", "--port", str(free_port), "--warehouse", str(tmp_path)])
    assert result.exit_code == 0, result.output
    ((path, command),) = started
    assert path == sys.executable
    assert command[1:3] == ["-m", "dashboard"]
    assert command[command.index("--server.address") + 1] == "127.0.0.1"
    assert os.environ["MATINEE_WAREHOUSE"] == str(tmp_path)
    assert minimum_members() == 50


@pytest.mark.parametrize(("options", "minimum"), [([], 70), (["--minimum-members", "10"], 10)])
def test_the_minimum_of_the_environment_holds_unless_an_option_gives_another(
    started, monkeypatch, free_port, options, minimum
):
    monkeypatch.setenv("MATINEE_MINIMUM_MEMBERS", "70")
    result = CliRunner().invoke(app, ["dashboard", "--port", str(free_port), *options])
    assert result.exit_code == 0, result.output
    assert minimum_members() == minimum


def test_host_port_and_minimum_are_handed_on(started, tmp_path, free_port):
    arguments = [
        "--host",
        "localhost",
        "--port",
        str(free_port),
        "--minimum-members",
        "10",
        "--warehouse",
        str(tmp_path),
    ]
    result = CliRunner().invoke(app, ["dashboard", *arguments])
    assert f"http://localhost:{free_port}" in result.output
    ((_, command),) = started
    assert command[-4:] == ["--server.address", "localhost", "--server.port", str(free_port)]
    assert os.environ["MATINEE_MINIMUM_MEMBERS"] == "10"


def test_public_names_are_handed_on(started, free_port):
    arguments = ["--port", str(free_port), "--public-name", "a.example.org", "--public-name", "b.example.org"]
    assert CliRunner().invoke(app, ["dashboard", *arguments]).exit_code == 0
    assert os.environ["MATINEE_DASHBOARD_NAMES"] == "a.example.org,b.example.org"


def test_a_taken_port_ends_with_one_sentence_before_anything_starts(started):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = CliRunner().invoke(app, ["dashboard", "--port", port])
    assert result.exit_code == 1
    assert (
        result.output
        == f"error: port {port} of 127.0.0.1 is taken, perhaps by another dashboard; choose one with --port\n"
    )
    assert not started


@pytest.mark.parametrize(
    "arguments",
    [
        ["--public-name", "https://a.example.org"],
        ["--port", "0"],
        ["--port", "http"],
        ["--minimum-members", "0"],
    ],
)
def test_a_wrong_option_is_refused(started, arguments):
    assert CliRunner().invoke(app, ["dashboard", *arguments]).exit_code == 2
    assert not started
