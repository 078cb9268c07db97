"""The numbers of ids that are no numbers: given once, kept for ever.

Belongs here: the append-only table `ids` of the landing (number, id), and putting its numbers into a draft.
Does not belong here: which ids are their own numbers (`ingest.cells.own_number`), showing ids as they came
(publishing).

A segment is a Parquet file ``files/ids-<first number>.parquet``. It is put there by a link that fails where the name is
taken, so that two landings at once cannot give a number twice.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from ingest.cells import FIRST_TEXT_ID
from ingest.errors import shorten
from ingest.sql import identifier, path_literal
from ingest.staging import copy, text_of

_TABLE = "id_numbers"


def segments(landing_dir: Path) -> list[Path]:
    """Return the files of the table of ids, in the order of their numbers."""
    return sorted((landing_dir / "files").glob("ids-*.parquet"), key=_first)


def last_number(landing_dir: Path) -> int:
    """Return the highest number given so far; one below the first where none has been."""
    found = segments(landing_dir)
    return _first(found[-1]) + pq.read_metadata(found[-1]).num_rows - 1 if found else FIRST_TEXT_ID - 1


def _first(segment: Path) -> int:
    return int(segment.stem.removeprefix("ids-"))


def give_numbers(  # noqa: PLR0917 - what it works on, where, and how
    connection: duckdb.DuckDBPyConnection,
    landing_dir: Path,
    draft: Path,
    columns: Sequence[str],
    condition: str,
    work: Path,
) -> tuple[list[str], list[str]]:
    """Give numbers, in sorted order, to the ids of a draft that have none yet.

    Parameters
    ----------
    connection
        Holds the numbers in the table `id_numbers` afterwards.
    landing_dir, work
        The landing folder, and a folder for temporary files on the same disk.
    draft
        The draft.
    columns
        Its columns of ids.
    condition
        Which of its rows land.

    Returns
    -------
    list, list
        The columns that hold such ids; and what to tell a person of ids that are nearly the same.
    """
    texts = {name: identifier(text_of(name)) for name in columns}
    rows = f"(SELECT * FROM read_parquet({path_literal(draft)}) WHERE {condition})"
    counts = ", ".join(f"count({text})" for text in texts.values())
    found = connection.execute(f"SELECT {counts} FROM {rows}").fetchone() if texts else ()
    used = [name for name, count in zip(texts, found or (), strict=True) if count]
    if not used:
        return [], []
    every = " UNION ".join(
        f"SELECT {texts[name]} AS id FROM {rows} WHERE {texts[name]} IS NOT NULL" for name in used
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE ids_found AS SELECT DISTINCT id FROM ({every})")
    while True:
        _load(connection, landing_dir)
        segment = work / "ids.parquet"
        last = last_number(landing_dir)
        numbered = (
            f"SELECT {last} + row_number() OVER (ORDER BY id) AS number, id "
            f"FROM ids_found ANTI JOIN {_TABLE} USING (id)"
        )
        added = copy(connection, f"SELECT number, id FROM ({numbered}) ORDER BY number", segment)
        if not added:
            return used, []
        try:
            os.link(segment, landing_dir / "files" / f"ids-{last + 1}.parquet")
        except FileExistsError:
            continue
        finally:
            segment.unlink()
        _load(connection, landing_dir)
        return used, _twins(connection)


def numbered(columns: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return joins that find the numbers of these columns of the draft `draft`, and the expression of each column."""
    joins = "".join(
        f" LEFT JOIN {_TABLE} AS ids_{at} ON draft.{identifier(text_of(name))} = ids_{at}.id"
        for at, name in enumerate(columns)
    )
    return joins, {
        name: f"coalesce(draft.{identifier(name)}, ids_{at}.number)" for at, name in enumerate(columns)
    }


def _load(connection: duckdb.DuckDBPyConnection, landing_dir: Path) -> None:
    files = [str(path_literal(path)) for path in segments(landing_dir)]
    rows = (
        f"SELECT number, id FROM read_parquet([{', '.join(files)}])"
        if files
        else "SELECT NULL::BIGINT, NULL::VARCHAR WHERE false"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_TABLE}(number, id) AS {rows}")


def _twins(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Tell of ids that differ by case or outer blanks alone, new ones among them, and of numbers with blanks."""
    rows = connection.execute(
        f"SELECT count(*) OVER (), min(id), max(id) FROM (SELECT id FROM {_TABLE}) "
        "GROUP BY lower(trim(id)) HAVING bool_or(id IN (SELECT id FROM ids_found)) AND "
        r"(count(*) > 1 OR (bool_or(id <> trim(id)) AND bool_or(regexp_full_match(trim(id), '(0|[1-9]\d*)')))) "
        "ORDER BY 2 LIMIT 1"
    ).fetchall()
    if not rows:
        return []
    count, one, other = rows[0]
    pair = f"'{shorten(one)}' and '{shorten(other)}'" if one != other else f"'{one}' and '{one.strip()}'"
    return [f"{count:,} ids differ from another by case or blanks alone and are kept apart, such as {pair}."]
