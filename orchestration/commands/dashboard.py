"""`matinee dashboard`: the dashboard as a process of its own.

Belongs here: its options and how it starts. Does not belong here: any page (`dashboard`).
"""

import errno
import os
import re
import socket
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from orchestration.commands.shared import WarehouseOption, fail, read_settings, say


def dashboard(
    *,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8501,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; anything but this machine needs a proxy with login before it."
        ),
    ] = "127.0.0.1",
    public_name: Annotated[
        list[str] | None,
        typer.Option(
            help="Name under which browsers reach it through a proxy; may be given several times "
            "[env: MATINEE_DASHBOARD_NAMES, divided by commas]."
        ),
    ] = None,
    minimum_members: Annotated[
        int | None,
        typer.Option(
            min=1, envvar="MATINEE_MINIMUM_MEMBERS", help="Groups of fewer people are left out of downloads."
        ),
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Open the dashboard over the published results; runs go on beside it."""
    settings = read_settings(warehouse=warehouse)
    if find_spec("dashboard") is None:
        fail("the dashboard is not installed: `pip install --editable .` in the project's folder")
    names = _names(public_name or os.environ.get("MATINEE_DASHBOARD_NAMES", "").split(","))
    if problem := _cannot_listen(host, port):
        fail(problem)
    os.environ |= {
        "MATINEE_DASHBOARD_NAMES": ",".join(names),
        "MATINEE_WAREHOUSE": str(settings.warehouse),
    }
    if minimum_members is not None:
        os.environ["MATINEE_MINIMUM_MEMBERS"] = str(minimum_members)
    shown = f"[{host}]" if ":" in host else host
    say(f"Matinee dashboard: http://{shown}:{port}  (Ctrl-C ends it)")
    # Takes this process's place: Ctrl-C and signals reach the server itself.
    os.execv(  # noqa: S606 - no shell
        sys.executable,
        [sys.executable, "-m", "dashboard", "--server.address", host, "--server.port", str(port)],
    )


def _names(given: list[str]) -> list[str]:
    names = [name.strip() for name in given if name.strip()]
    for name in names:
        if not re.fullmatch(r"[\w-]+(\.[\w-]+)*", name):
            accepted = "a name without scheme, port and path, such as matinee.example.com"
            raise typer.BadParameter(f"{name!r}; {accepted}", param_hint="--public-name")
    return names


def _cannot_listen(host: str, port: int) -> str | None:
    """Return why a server could not listen there; None where it could."""
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {port} of {host} is taken, perhaps by another dashboard; choose one with --port"
        return f"cannot listen on {host}, port {port}: {error.strerror or error}"
    return None
