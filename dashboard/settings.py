"""The dashboard's settings: environment variables, which the command that starts it hands on.

Belongs here: reading them, and the defaults that are the dashboard's own. Does not belong here: settings of Streamlit
(`.streamlit/config.toml`).
"""

import os
import socket
from pathlib import Path

WAREHOUSE, MINIMUM = "MATINEE_WAREHOUSE", "MATINEE_MINIMUM_MEMBERS"
NAMES = "MATINEE_DASHBOARD_NAMES"
_MINIMUM_MEMBERS = 50
"""Groups of fewer people are left out of files unless the setting says otherwise."""
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - what is compared with, not listened on


def warehouse() -> Path:
    """Return the folder whose published set is shown."""
    default = Path(__file__).resolve().parents[1] / "warehouse"
    return Path(os.environ.get(WAREHOUSE, default)).expanduser().absolute()


def minimum_members() -> int:
    """Return the size under which a group of people is left out of files."""
    return int(os.environ.get(MINIMUM, _MINIMUM_MEMBERS))


def own_names(address: str) -> list[str]:
    """Return the names under which browsers may reach a server that listens on an address.

    Those that a setting gives, for a server behind a proxy, and its own. A page of anybody else may have a name that
    leads to this machine, so a browser that asks for any other name is not answered.
    """
    given = [name.strip() for name in os.environ.get(NAMES, "").split(",") if name.strip()]
    own = [socket.gethostname(), socket.getfqdn()] if address in _EVERY_ADDRESS else [address]
    return list(dict.fromkeys([*given, *_THIS_MACHINE, *own]))
