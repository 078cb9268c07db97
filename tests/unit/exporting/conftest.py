"""Published sets with audiences, and exports of them."""

import os
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orchestration.settings import Settings, load_settings
from orchestration.tasks.exporting.declaration import Export
from orchestration.tasks.exporting.delivering import Delivered, deliver


class World:
    """A warehouse that publishes audiences and sends them."""

    def __init__(self, root: Path) -> None:
        self.root, self._night = root, 0
        self.out = root.with_name("out")

    def settings(self, today: date = date(2026, 12, 1)) -> Settings:
        return load_settings(warehouse=self.root, today=today, minimum_members=1)

    def publish(
        self, ids: Iterable[object], held_out: Iterable[object] = (), regions: dict[str, str] | None = None
    ) -> None:
        """Publish the audience `loyal` of users with these ids, some of them held out."""
        self._night += 1
        folder = self.root / "published.d" / f"202612{self._night:02d}T000000-{self._night:08d}"
        folder.mkdir(parents=True)
        out, every = set(map(str, held_out)), list(map(str, ids))
        tables = {
            "audiences": {"audience": ["loyal"], "entity": ["user_id"]},
            "audience_members": {
                "audience": ["loyal"] * len(every),
                "entity_id": every,
                "held_out": [one in out for one in every],
            },
            "users": {"user_id": every, "region": [(regions or {}).get(one, "North") for one in every]},
            "segment_members": {
                "segmentation": ["user_taste"] * len(every),
                "entity_id": every,
                "segment_name": ["Crime"] * len(every),
                "level": [None] * len(every),
            },
            "recommendations": {
                "user_id": every[:1] * 2,
                "rank": [1, 2],
                "title_id": ["t1", "t2"],
                "title": ['=HYPERLINK("x")', "Two"],
            },
        }
        for name, columns in tables.items():
            pl.DataFrame(columns, schema_overrides=TYPES).write_parquet(folder / f"{name}.parquet")
        link = self.root / ".link"
        link.symlink_to(os.path.relpath(folder, self.root))
        link.replace(self.root / "published")

    def export(self, **said: Any) -> Export:
        defaults = {"name": "loyal", "description": "Loyal viewers", "audiences": ["loyal"], "least": 1}
        return Export(
            **{
                **defaults,
                "columns": [{"attribute": "region"}],
                "destination": {"folder": str(self.out)},
                **said,
            }
        )

    def deliver(self, export: Export, **how: Any) -> Delivered:
        return deliver(export, self.settings(), **how)


TYPES = {
    "audience": pl.String,
    "entity_id": pl.String,
    "user_id": pl.String,
    "held_out": pl.Boolean,
    "level": pl.String,
    "region": pl.String,
    "segmentation": pl.String,
    "segment_name": pl.String,
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "warehouse")


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Kill the process, as it were, when it calls a method: `killed(DeliveryStore, "finish")`."""

    def killed(where: Any, method: str, after: int = 0) -> None:
        real, calls = getattr(where, method), iter(range(after))

        def dies(*given: Any, **named: Any) -> Any:
            if next(calls, None) is None:
                monkeypatch.setattr(where, method, real)
                raise KeyboardInterrupt
            return real(*given, **named)

        monkeypatch.setattr(where, method, dies)

    return killed
