"""Nobody comes to dashboard and Dagster without a login, and with one all of both works: `deploy/nginx`."""

import base64
import getpass
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from tests.conftest import PROJECT_ROOT

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
EXAMPLE = PROJECT_ROOT / "deploy" / "nginx"
NAME = "matinee.example.com"
READER, OPERATOR = "anna:secret of readers", "otto:secret of operators"
PAGES = ["/", "/titles", "/_stcore/health", "/_stcore/host-config", "/static/js/index.js", "/.hidden", "//"]
OPERATIONS = [
    "/dagster",
    "/dagster/runs",
    "/dagster/server_info",
    "/dagster/graphql",
    "/dagster/../dagster/graphql",
]
MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/conf.d/*.conf;
}}
"""

pytestmark = pytest.mark.skipif(
    NGINX is None or shutil.which("openssl") is None,
    reason="no nginx or no openssl on this machine (Debian: apt-get install nginx-light openssl)",
)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port: int, is_well: Callable[[], bool] = lambda: True, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert is_well()
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass(frozen=True)
class Proxy:
    """nginx with the example configuration, as a browser sees it."""

    port: int

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    def _headers(self, login: str | None, headers: dict[str, str]) -> dict[str, str]:
        given = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
        return given | headers

    def ask(
        self, path: str, login: str | None = None, data: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Return status and body of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}{path}",
            data,
            self._headers(login, {"Host": f"{NAME}:{self.port}", **named}),
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    @contextmanager
    def talk(
        self, path: str, login: str | None = None, origin: str | None = None, protocol: str | None = None
    ):
        """Open a WebSocket."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        with connect(
            f"wss://{NAME}:{self.port}{path}",
            sock=raw,
            ssl=self._tls,
            additional_headers=self._headers(login, {}),
            origin=origin or self.origin,
            subprotocols=[protocol] if protocol else None,
            proxy=None,
        ) as opened:
            yield opened

    def refusal(self, path: str, login: str | None = None, origin: str | None = None) -> int:
        """Return the status with which a WebSocket is refused, as it is sent: 101 where it is not."""
        asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        asked |= {"Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(), "Origin": origin or self.origin}
        named = {"Host": f"{NAME}:{self.port}"}
        with closing(HTTPSConnection("127.0.0.1", self.port, context=self._tls, timeout=60)) as connection:
            connection.request("GET", path, headers=self._headers(login, named | asked))
            return connection.getresponse().status

    @property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


@contextmanager
def proxied(folder: Path, dashboard: int, webserver: int) -> Iterator[Proxy]:
    """Start nginx before two ports of this machine; of the example only ports and folders are others."""
    port = free_port()
    (folder / "conf.d").mkdir(parents=True)
    (folder / "tls").mkdir()
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/nginx/matinee": str(folder),
        "127.0.0.1:8501": f"127.0.0.1:{dashboard}",
        "127.0.0.1:3000": f"127.0.0.1:{webserver}",
    }
    for name in ("matinee.conf", "upstreams.conf"):
        text = (EXAMPLE / name).read_text()
        for before, after in changes.items():
            text = text.replace(before, after)
        (folder / "conf.d" / name).write_text(text)
    assert all(f"127.0.0.1:{used}" in "".join(
        file.read_text() for file in (folder / "conf.d").iterdir()
    ) for used in (port, dashboard, webserver))  # fmt: skip
    for name, login in (("readers", READER), ("operators", OPERATOR)):
        user, password = login.split(":")
        hashed = subprocess.run(
            ["openssl", "passwd", "-apr1", password], capture_output=True, text=True, check=True
        )
        (folder / f"{name}.htpasswd").write_text(f"{user}:{hashed.stdout}")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={NAME}",
            ),
            *("-keyout", folder / "tls" / "matinee.key", "-out", folder / "tls" / "matinee.pem"),
        ],
        capture_output=True,
        check=True,
    )
    user = f"user {getpass.getuser()};" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    assert NGINX
    with subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"]) as nginx:
        try:
            wait_for(port, lambda: nginx.poll() is None)
            yield Proxy(port)
        finally:
            nginx.terminate()


@dataclass(frozen=True)
class Upstream:
    """What stands in for a server behind the proxy."""

    port: int
    reached: list[str]


@contextmanager
def upstream(name: str) -> Iterator[Upstream]:
    """Tell whoever comes through what came, and send back what comes over a WebSocket."""
    reached: list[str] = []

    async def answer(request: Request) -> Response:
        reached.append(request.url.path)
        return JSONResponse(
            {
                "server": name,
                "path": request.url.path,
                "method": request.method,
                "host": request.headers["host"],
                "authorization": request.headers.get("authorization"),
                "scheme": request.headers["x-forwarded-proto"],
            }
        )

    async def echo(socket: WebSocket) -> None:
        reached.append(socket.url.path)
        await socket.accept(subprotocol=next(iter(socket.scope["subprotocols"]), None))
        await socket.send_text(f"{name}: {await socket.receive_text()}")
        await socket.close()

    app = Starlette(
        routes=[WebSocketRoute("/{path:path}", echo), Route("/{path:path}", answer, methods=["GET", "POST"])]
    )
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(port, thread.is_alive)
    try:
        yield Upstream(port, reached)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Upstream, Upstream]]:
    with ExitStack() as stack:
        dashboard, webserver = (stack.enter_context(upstream(name)) for name in ("dashboard", "webserver"))
        folder = tmp_path_factory.mktemp("proxy") / "nginx"
        yield stack.enter_context(proxied(folder, dashboard.port, webserver.port)), dashboard, webserver


@pytest.fixture
def proxy(started) -> Proxy:
    proxy, *behind = started
    for server in behind:
        server.reached.clear()
    return proxy


@pytest.fixture
def reached(started, proxy) -> Callable[[], list[str]]:
    """What has come through to either server."""
    return lambda: [path for server in started[1:] for path in server.reached]


@pytest.mark.parametrize(
    "login", [None, "anna:", "anna:secret of operators", ":", "nobody:secret of readers"]
)
@pytest.mark.parametrize("path", [*PAGES, *OPERATIONS])
def test_without_the_right_login_nothing_is_reached(proxy: Proxy, reached, path, login):
    assert proxy.ask(path, login)[0] == 401
    assert proxy.ask(path, login, data=b"{}", Content_Type="application/json")[0] == 401
    assert proxy.refusal(path, login=login) == 401
    assert reached() == []


def test_a_reader_reaches_the_dashboard_by_its_name_and_nothing_of_dagster(proxy: Proxy, reached):
    status, body = proxy.ask("/titles", READER)
    assert status == 200
    assert json.loads(body) == {
        "server": "dashboard",
        "path": "/titles",
        "method": "GET",
        "host": f"{NAME}:{proxy.port}",
        "authorization": None,
        "scheme": "https",
    }
    for path in OPERATIONS:
        assert proxy.ask(path, READER)[0] == 401
        assert proxy.refusal(path, login=READER) == 401
    assert reached() == ["/titles"]


def test_an_operator_reaches_dagster_below_its_prefix(proxy: Proxy):
    status, body = proxy.ask(
        "/dagster/graphql", OPERATOR, data=b"{}", Origin=proxy.origin, Sec_Fetch_Site="same-origin"
    )
    assert status == 200
    told = json.loads(body)
    assert (told["server"], told["path"], told["method"]) == ("webserver", "/dagster/graphql", "POST")
    assert proxy.ask("/dagster/runs", OPERATOR)[0] == 200


@pytest.mark.parametrize(
    ("path", "login", "protocol", "server"),
    [
        ("/_stcore/stream", READER, None, "dashboard"),
        ("/dagster/graphql", OPERATOR, "graphql-ws", "webserver"),
    ],
)
def test_with_a_login_a_websocket_is_passed_on(proxy: Proxy, path, login, protocol, server):
    with proxy.talk(path, login, protocol=protocol) as opened:
        opened.send("hello")
        assert opened.recv(timeout=20) == f"{server}: hello"
        assert opened.subprotocol == protocol


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"http://{NAME}", f"https://{NAME}.evil.example", "null"]
)
def test_what_another_sites_page_asks_for_with_a_readers_login_is_refused(proxy: Proxy, reached, origin):
    assert proxy.refusal("/_stcore/stream", login=READER, origin=origin) == 403
    assert proxy.refusal("/dagster/graphql", login=OPERATOR, origin=origin) == 403
    assert proxy.ask("/dagster/graphql?query=mutation", OPERATOR, data=b"", Origin=origin)[0] == 403
    assert reached() == []


def test_a_link_or_picture_of_another_site_starts_no_run(proxy: Proxy, reached):
    for site in ("cross-site", "same-site"):
        assert proxy.ask("/dagster/graphql?query=mutation", OPERATOR, Sec_Fetch_Site=site)[0] == 403
    assert reached() == []
    assert proxy.ask("/dagster/runs", OPERATOR, Sec_Fetch_Site="cross-site")[0] == 200


def test_what_stands_behind_is_named_alike_for_one_machine_and_for_compose():
    named = [
        [line.split()[1] for line in (EXAMPLE / file).read_text().splitlines() if line.startswith("upstream")]
        for file in ("upstreams.conf", "upstreams.compose.conf")
    ]
    assert named[0] == named[1]
    text = (EXAMPLE / "matinee.conf").read_text()
    assert {line.split("//")[1].strip(";") for line in text.splitlines() if "proxy_pass" in line} == set(
        named[0]
    )


@pytest.mark.long
def test_the_real_dashboard_and_web_server_work_behind_it_and_are_not_reached_without_a_login(
    demo_warehouse: Path, demo_home: Path, tmp_path: Path
):
    dashboard, webserver = free_port(), free_port()
    environment = os.environ | {
        "DAGSTER_HOME": str(demo_home),
        "MATINEE_WAREHOUSE": str(demo_warehouse),
        "MATINEE_DASHBOARD_NAMES": NAME,
    }
    beside = Path(sys.executable).parent
    commands = (
        [beside / "matinee", "dashboard", "--port", str(dashboard)],
        [
            *(beside / "dagster-webserver", "--host", "127.0.0.1", "--port", str(webserver)),
            *("--path-prefix", "/dagster"),
        ],
    )
    with ExitStack() as stack:
        for command, port in zip(commands, (dashboard, webserver), strict=True):
            server = stack.enter_context(subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT))
            stack.callback(server.terminate)
            wait_for(port, lambda server=server: server.poll() is None, seconds=300)
        proxy = stack.enter_context(proxied(tmp_path / "nginx", dashboard, webserver))
        for path in [*PAGES, *OPERATIONS]:
            assert proxy.ask(path)[0] == 401
        for path in ("/_stcore/stream", "/dagster/graphql"):
            assert proxy.refusal(path) == 401
        assert proxy.ask("/_stcore/health", READER) == (200, b"ok")
        assert b"<title>" in proxy.ask("/titles", READER)[1]
        assert "dagster_webserver_version" in json.loads(proxy.ask("/dagster/server_info", OPERATOR)[1])
        asked = json.dumps({"query": "{ runsOrError { ... on Runs { results { status } } } }"}).encode()
        status, body = proxy.ask("/dagster/graphql", OPERATOR, asked, Content_Type="application/json")
        assert status == 200
        assert json.loads(body)["data"]["runsOrError"]["results"] == [{"status": "SUCCESS"}]
        with proxy.talk("/_stcore/stream", READER, protocol="streamlit") as opened:
            opened.ping().wait(20)
        with proxy.talk("/dagster/graphql", OPERATOR, protocol="graphql-ws") as opened:
            opened.send(json.dumps({"type": "connection_init"}))
            assert json.loads(opened.recv(timeout=60)) == {"type": "connection_ack"}
