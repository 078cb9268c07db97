"""A browser reaches the dashboard under its own names; a foreign page is refused, also one whose name leads here."""

import os
import socket
import subprocess
import sys
import time

import pytest

from dashboard.settings import own_names


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A dashboard that runs, on a free port, with one public name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "dashboard", "--server.address", "127.0.0.1", "--server.port", str(number)],
        env={
            **os.environ,
            "MATINEE_DASHBOARD_NAMES": "stats.example.org",
            "MATINEE_WAREHOUSE": str(tmp_path_factory.mktemp("none")),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", number)).close()
            break
        except OSError:
            assert server.poll() is None
            time.sleep(0.2)
    yield number
    server.kill()
    server.wait()


def answer(port: int, host: str, origin: str) -> int:
    """Status of a handshake for the WebSocket that a page of `origin` asks `host` for."""
    asked = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host.format(port=port)}",
        f"Origin: {origin.format(port=port)}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
        wire.sendall("\r\n".join([*asked, "", ""]).encode())
        return int(wire.recv(100).split()[1])


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:{port}", "http://127.0.0.1:{port}"),
        ("localhost:{port}", "http://localhost:{port}"),
        ("stats.example.org", "https://stats.example.org"),
        ("stats.example.org", "https://stats.example.org:8443"),
        ("stats.example.org:8443", "https://stats.example.org:8443"),
        ("127.0.0.1:{port}", "https://stats.example.org"),
    ],
)
def test_own_names_are_let_in_on_whatever_port_a_proxy_listens(port, host, origin):
    assert answer(port, host, origin) == 101


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("rebound.example.net:{port}", "http://rebound.example.net:{port}"),
        ("127.0.0.1:{port}", "https://foreign.example.net"),
        ("stats.example.org", "https://foreign.example.net"),
        ("stats.example.org", "https://stats.example.org.foreign.example.net"),
        ("foreign.example.net", "https://stats.example.org"),
    ],
)
def test_foreign_pages_are_refused_also_when_their_name_leads_here(port, host, origin):
    assert answer(port, host, origin) == 403


def test_a_server_for_everybody_answers_to_the_name_of_its_machine(monkeypatch):
    monkeypatch.setenv("MATINEE_DASHBOARD_NAMES", " one.example.org,two.example.org ,")
    names = own_names("0.0.0.0")
    assert names[:2] == ["one.example.org", "two.example.org"]
    assert socket.gethostname() in names
    assert "0.0.0.0" not in names
