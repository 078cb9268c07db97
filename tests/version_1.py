"""A small warehouse as the version before schema numbers left it: schema version 1.

Written by hand and not by today's code, which may change: what stands here never does. The next change of the shape
gets a module like this one, `version_2.py`.
"""

import json
from datetime import datetime
from pathlib import Path

import polars as pl

SET, RUN = "20260102T030405-0123abcd", "0123abcd-0000-4000-8000-000000000000"
VERSION, PICTURES, LANDED = "64956b6800c6", "54e7ba50208e", "88eb4cf856726563"
KEY = "312d86c044a07eae0a1c8f69"

SEGMENTS = pl.DataFrame(
    {
        "segmentation": ["habits"] * 2,
        "segment_id": pl.Series([0, 1], dtype=pl.Int32),
        "segment_name": ["Few Ratings", "Many Ratings"],
        "entity": ["user_id"] * 2,
        "members": [600, 400],
        "share": [0.6, 0.4],
    }
)
MODEL = {
    "format": 1,
    "segmentation": "habits",
    "entity": "user_id",
    "trained_on": 1000,
    "seed": 0,
    "segment_names": ["Few Ratings", "Many Ratings"],
    "preparation": {
        "columns": ["habit_1", "habit_2"],
        "fill": [None, None],
        "log1p": [False, False],
        "shift": [4.0, 4.0],
        "scale": [2.0, 2.0],
    },
    "centroids": [[-1.0, -1.0], [1.0, 1.0]],
}


def write_version_1(root: Path) -> Path:
    """Write the warehouse and return it."""
    _write_published(root / "published.d" / SET)
    _link(root / "published", f"published.d/{SET}")
    _write_landing(root / "landing")
    _write_model(root / "models" / "habits")
    _link(root / "plots" / "habits", f"../models/habits/{VERSION}/plots")
    _write(root / "plots.d" / "audience" / PICTURES / "genre_popularity.png", "a picture")
    _write(root / "plots.d" / "audience" / "candidate.json", {"version": PICTURES})
    _link(root / "plots" / "audience", f"../plots.d/audience/{PICTURES}")
    _write(root / "report" / "index.html", "<title>Matinee</title>")
    _write(root / "report" / "run.json", {"run_id": RUN, "seconds": 1.0, "stages": []})
    _write(root / ".run.lock", "")
    return root


def _write_published(folder: Path) -> None:
    columns = [
        {"name": name, "type": kind, "description": name}
        for name, kind in zip(
            SEGMENTS.columns, ("varchar", "integer", "varchar", "varchar", "bigint", "double"), strict=True
        )
    ]
    _write(
        folder / "contract.json", {"segments": {"description": "One row per segment.", "columns": columns}}
    )
    _write(folder / "made_of.json", {"made_of": "0" * 64, "assets": ["published/report", "published/tables"]})
    SEGMENTS.write_parquet(folder / "segments.parquet")


def _write_landing(folder: Path) -> None:
    customers = pl.DataFrame(
        {
            "customer_id": ["1", "2"],
            "minutes_watched": [215.0, 90.5],
            "clv": [87.81, 12.0],
            "region_id": [1, 2],
            "channel_id": [1, 8],
            "country": pl.Series([None, None], dtype=pl.String),
        }
    )
    rejects = pl.DataFrame(
        schema={
            "source": pl.String,
            "table_name": pl.String,
            "line": pl.Int64,
            "reason": pl.String,
            "raw_text": pl.String,
            "is_known_quirk": pl.Boolean,
        }
    )
    manifest = pl.DataFrame(
        {
            "table_name": ["customers"],
            "source": ["customer_segmentation_data.csv"],
            "sha256": [f"{KEY[:16]}{'0' * 48}"],
            "bytes": [100],
            "rows_read": [2],
            "rows_landed": [2],
            "rows_rejected": [0],
            "landed_at": [datetime(2026, 1, 2, 3, 4)],
            "rows_left_out": [0],
            "unreadable_cells": ["{}"],
            "notes": pl.Series([[]], dtype=pl.List(pl.String)),
            "layout": ["Customers"],
            "last_id": [(1 << 40) - 1],
        }
    )
    files, landed = folder / "files", folder / "sets" / LANDED
    files.mkdir(parents=True)
    for ending, frame, link in (
        ("", customers, f"customers/{KEY}.parquet"),
        (".rejects", rejects, f"rejects/customers-{KEY}.parquet"),
        (".manifest", manifest, f"manifest/customers-{KEY}.parquet"),
    ):
        frame.write_parquet(files / f"customers-{KEY}{ending}.parquet")
        _link(landed / link, f"../../../files/customers-{KEY}{ending}.parquet")
    _write(landed / "source.json", {"description": "customers", "folder": "/raw", "refused": {}})
    for name in ("current", "candidate"):
        _link(folder / name, f"sets/{LANDED}")


def _write_model(folder: Path) -> None:
    version = folder / VERSION
    _write(version / "model.json", MODEL)
    _write(version / "explored.json", {"2": MODEL})
    _write(version / "plots" / "sizes.png", "a picture")
    named = SEGMENTS.select("segmentation", "segment_id", "segment_name").with_columns(
        features=pl.lit("features.habits")
    )
    named.write_parquet(version / "segments.parquet")
    pl.DataFrame(
        schema={
            "segmentation": pl.String,
            "measure": pl.String,
            "value": pl.Float64,
            "threshold": pl.Float64,
            "passed": pl.Boolean,
        }
    ).write_parquet(version / "segment_quality.parquet")
    for pointer in ("current", "candidate"):
        _write(folder / f"{pointer}.json", {"version": VERSION})


def _write(file: Path, content: str | dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content) + "\n", encoding="utf-8")


def _link(link: Path, target: str) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
