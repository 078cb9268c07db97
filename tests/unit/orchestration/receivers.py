"""Receivers of alarms on this machine: a webhook and a mail server, each for the time of a `with` block."""

import json
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass
class Received:
    port: int
    messages: list[Any] = field(default_factory=list)


@contextmanager
def webhook(answers: Sequence[int] = (200,)) -> Iterator[Received]:
    """A webhook that gives these answers one after the other, the last one again and again."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.messages.append(json.loads(body))
            self.send_response(answers[min(len(received.messages), len(answers)) - 1])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    received = Received(server.server_port)
    with _serving(server):
        yield received


@contextmanager
def mail_server(*, password: str | None = None) -> Iterator[Received]:
    """A mail server that takes what is sent to it; with a password, only after it was given."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while command := self.rfile.readline().decode().strip():
                verb = command.split()[0].upper()
                if verb == "EHLO":
                    self._say("250-here" if password else "250 here")
                    if password:
                        self._say("250 AUTH PLAIN")
                elif verb == "AUTH":
                    self._say("535 5.7.8 you said " + command)
                elif verb == "DATA":
                    self._say("354 go on")
                    lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
                    received.messages.append("\n".join(lines))
                    self._say("250 taken")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
    received = Received(server.server_address[1])
    with _serving(server):
        yield received


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
