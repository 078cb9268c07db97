"""An S3-compatible server on this machine, and a way to it that can fail."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest

SECRET = "the-secret-of-this-test"
KEYS = {"AWS_ACCESS_KEY_ID": "matinee", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}
BUCKET = "a-bucket"


@dataclass
class Storage:
    """The server as it is reached.

    Parameters
    ----------
    endpoint, straight
        The address of the way to it, and its own.
    fetched
        Keys whose content was asked for.
    is_forbidden
        Whether it answers that nobody may.
    breaks_at
        Part of the key of a file in the middle of which the connection ends.
    """

    endpoint: str
    straight: str = ""
    fetched: list[str] = field(default_factory=list)
    is_forbidden: bool = False
    breaks_at: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {**KEYS, "AWS_ENDPOINT_URL": self.endpoint}

    def put(self, folder: str, files: dict[str, bytes]) -> str:
        """Put files below a folder of the bucket, and return its address."""
        with closing(HTTPConnection(self.straight.removeprefix("http://"))) as server:
            for path, content in {"": b"", **{f"/{folder}/{name}": files[name] for name in files}}.items():
                server.request("PUT", f"/{BUCKET}{quote(path)}", content)
                with server.getresponse() as answer:
                    assert answer.status == 200 or not path, answer.status
                    answer.read()
        return f"s3://{BUCKET}/{folder}"


@contextmanager
def served() -> Iterator[Storage]:
    """Start the server and the way to it; the test is skipped where there is none."""
    command = shutil.which("moto_server", path=str(Path(sys.executable).parent)) or shutil.which(
        "moto_server"
    )
    if command is None:
        pytest.skip("moto is not installed: there is no S3-compatible server")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [command, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        storage = Storage("", f"http://127.0.0.1:{port}")
        way = ThreadingHTTPServer(("127.0.0.1", 0), _way_to(port, storage))
        storage.endpoint = f"http://127.0.0.1:{way.server_port}"
        Thread(target=way.serve_forever, daemon=True).start()
        yield storage
        way.shutdown()
        way.server_close()
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(300):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the S3-compatible server does not start")


def _way_to(port: int, storage: Storage) -> type[BaseHTTPRequestHandler]:
    class Way(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            if storage.is_forbidden:
                self._answer(403, {}, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
                return
            with closing(HTTPConnection("127.0.0.1", port)) as server:
                server.request(self.command, self.path, headers=dict(self.headers))
                answer = server.getresponse()
                content = answer.read()
            is_file = self.command == "GET" and "?" not in self.path
            if is_file:
                storage.fetched.append(self.path)
            breaks = bool(is_file and storage.breaks_at and storage.breaks_at in self.path)
            self._answer(answer.status, dict(answer.getheaders()), content, breaks=breaks)

        def _answer(
            self, status: int, headers: dict[str, str], content: bytes, *, breaks: bool = False
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in (
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "date",
                    "server",
                ):
                    self.send_header(name, value)
            given = next((v for n, v in headers.items() if n.lower() == "content-length"), str(len(content)))
            self.send_header("Content-Length", given if self.command == "HEAD" else str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[: len(content) // 2] if breaks else content)
            self.close_connection = self.close_connection or breaks

        do_GET = do_HEAD = _pass_on

        def log_message(self, *_args: object) -> None:
            pass

    return Way
