"""`matinee dashboard`: the dashboard as a process of its own.

Belongs here: its options and how it starts. Does not belong here: any page (`dashboard`).
"""

import os
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
    minimum_members: Annotated[
        int, typer.Option(min=1, help="Groups of fewer people are left out of downloads.")
    ] = 50,
    warehouse: WarehouseOption = None,
) -> None:
    """Open the dashboard over the published results; runs go on beside it."""
    settings = read_settings(warehouse=warehouse)
    if find_spec("dashboard") is None:
        fail("the dashboard is not installed: `pip install --editable .` in the project's folder")
    os.environ |= {
        "MATINEE_WAREHOUSE": str(settings.warehouse),
        "MATINEE_MINIMUM_MEMBERS": str(minimum_members),
    }
    shown = f"[{host}]" if ":" in host else host
    say(f"Matinee dashboard: http://{shown}:{port}  (Ctrl-C ends it)")
    # Takes this process's place: Ctrl-C and signals reach the server itself.
    os.execv(  # noqa: S606 - no shell
        sys.executable,
        [sys.executable, "-m", "dashboard", "--server.address", host, "--server.port", str(port)],
    )
