"""What the command that starts the dashboard tells it, through the environment.

Belongs here: reading those variables. Does not belong here: settings of Streamlit (`.streamlit/config.toml`).
"""

import os
from pathlib import Path

from dashboard.exports import MINIMUM_MEMBERS

WAREHOUSE, MINIMUM = "MATINEE_WAREHOUSE", "MATINEE_MINIMUM_MEMBERS"


def warehouse() -> Path:
    """Return the folder whose published set is shown."""
    default = Path(__file__).resolve().parents[1] / "warehouse"
    return Path(os.environ.get(WAREHOUSE, default)).expanduser().absolute()


def minimum_members() -> int:
    """Return the size under which a group of people is left out of files."""
    return int(os.environ.get(MINIMUM, MINIMUM_MEMBERS))
