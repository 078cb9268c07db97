"""Whether a run would publish again what is published.

Belongs here: what a published set was made of, and whether that is what a run has at hand. Does not belong here:
leaving steps out (`orchestration.assets.dbt_models`).

The same landed files, the same code and the same models in force give the same tables. What is remembered of them lies
in the published set, written last, so that a run that was killed is never taken for one that ended.
"""

import hashlib
import json
from collections.abc import Collection
from functools import cache

import polars as pl

from orchestration.settings import PROJECT_ROOT, load_holdout_settings, load_settings
from orchestration.stores.deliveries import DeliveryStore
from orchestration.stores.file_hashes import hash_of_files
from orchestration.stores.layout import WarehouseLayout, write_atomically

_FILE = "made_of.json"
_CODE = ("dbt_project", "ingest", "ml", "orchestration", "published", "report")
_SOURCES = {".py", ".sql", ".yml", ".yaml", ".csv", ".jinja", ".html", ".css", ".js", ".md"}


def remember(layout: WarehouseLayout, assets: Collection[str], *, serves: bool = False) -> None:
    """Write down in the published set what it was made of, by a run of which assets, and whether models only served."""
    facts = {"made_of": _made_of(layout), "assets": sorted(assets), "serves": serves}
    write_atomically(layout.published.resolve() / _FILE, json.dumps(facts) + "\n")


def forget_what_it_was_made_of(layout: WarehouseLayout) -> None:
    """Let the next run find something new: what was made of these files is no longer all there."""
    (layout.published.resolve() / _FILE).unlink(missing_ok=True)


def is_nothing_new(layout: WarehouseLayout, assets: Collection[str], *, serves: bool = False) -> bool:
    """Whether a run of these assets on what has landed would publish what is published.

    What a run published whose models only served is new to one that trains.
    """
    exports = (name.removeprefix("exports/") for name in assets if name.startswith("exports/"))
    if any(DeliveryStore(layout, name).pending.exists() for name in exports):
        return False  # a destination was down
    try:
        facts = json.loads((layout.published / _FILE).read_text(encoding="utf-8"))
        is_enough = set(assets) <= set(facts["assets"]) and (serves or not facts["serves"])
        return is_enough and facts["made_of"] == _made_of(layout)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _made_of(layout: WarehouseLayout) -> str:
    settings, held_out = load_settings(), load_holdout_settings()
    # Of the settings those that change what is published and not what lands.
    digest = hashlib.sha256(f"{code_in_use()} {settings.show_emails} {settings.long_tail}".encode())
    digest.update(f"{held_out.share} {held_out.salt.get_secret_value()}".encode())
    for file in sorted((layout.landing / "candidate" / "manifest").glob("*.parquet")):
        digest.update(pl.read_parquet(file).write_json().encode())
    digest.update((layout.landing / "candidate" / "source.json").read_bytes())
    for pointer in sorted(layout.models.glob("*/current.json")):
        digest.update(pointer.parent.name.encode() + pointer.read_bytes())
    return digest.hexdigest()


@cache
def code_in_use() -> str:
    """Return a hash of the code and of the packages it was locked to, as they were when this process first asked."""
    lock = PROJECT_ROOT / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes() if lock.exists() else b"")
    for room in _CODE:
        digest.update(hash_of_files(PROJECT_ROOT / room, _SOURCES).encode())
    return digest.hexdigest()
