"""The numbers of ids that are no numbers: given once, kept for ever.

Belongs here: the append-only table `ids` of the landing (number, id), and putting its numbers into a draft.
Does not belong here: which ids are their own numbers (`ingest.cells.own_number`), showing ids as they came
(publishing).

Of an id that was forgotten the number stays, without its text, so that it never stands for somebody else.

A segment is a Parquet file ``files/ids-<first number>.parquet``. It is put there by a link that fails where the name is
taken, so that two landings at once cannot give a number twice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.cells import FIRST_TEXT_ID
from ingest.contracts import Contract, Kind
from ingest.errors import IngestError
from ingest.sql import copy, identifier, path_literal

_TABLE = "id_numbers"


def segments(landing_dir: Path) -> list[Path]:
    """Return the files of the table of ids, in the order of their numbers."""
    return sorted((landing_dir / "files").glob("ids-*.parquet"), key=_first)


def last_number(landing_dir: Path) -> int:
    """Return the highest number given so far; one below the first where none has been."""
    found = segments(landing_dir)
    if not found:
        return FIRST_TEXT_ID - 1
    try:
        return _first(found[-1]) + pq.read_metadata(found[-1]).num_rows - 1
    except pa.ArrowException as error:
        raise _damaged(found[-1]) from error


def _damaged(segment: Path) -> IngestError:
    return IngestError(
        "the table of ids is damaged: nothing else knows which user or title each of its numbers is.",
        next_step="Put the file back from a backup (`matinee restore`), or choose another warehouse, in which all is "
        "made anew from the raw files, and run again.",
        where=str(segment),
    )


def _first(segment: Path) -> int:
    return int(segment.stem.removeprefix("ids-"))


def text_of(column: str) -> str:
    """Return the name of a draft's column that holds the ids of `column` that are no numbers."""
    return f"{column}#"


def is_own_number(written: str) -> bool:
    """Whether an id is its own number: the plain spelling of a whole number below 2^40."""
    return re.fullmatch(r"0|[1-9]\d*", written, re.ASCII) is not None and int(written) < FIRST_TEXT_ID


def number_of(landing_dir: Path, written: str) -> int | None:
    """Return the number that stands for an id; None where it is a text that was never given one."""
    if is_own_number(written):
        return int(written)
    query = f"SELECT number FROM ({_rows(segments(landing_dir))}) WHERE id = $id"
    with duckdb.connect() as connection:
        found = connection.execute(query, {"id": written}).fetchone()
    return None if found is None else int(found[0])


def forget(landing_dir: Path, numbers: Collection[int], work: Path) -> int:
    """Take the text of ids away from these numbers, which are never given again; return how many had one."""
    forgotten = 0
    wanted = ", ".join(map(str, numbers))
    for segment in segments(landing_dir) if numbers else ():
        rows = f"read_parquet({path_literal(segment)})"
        with duckdb.connect() as connection:
            count = f"SELECT count(*) FROM {rows} WHERE number IN ({wanted}) AND id IS NOT NULL"
            ((found,),) = connection.execute(count).fetchall()
            if found:
                text = f"CASE WHEN number NOT IN ({wanted}) THEN id END"
                copy(
                    connection,
                    f"SELECT number, {text} AS id FROM {rows} ORDER BY number",
                    work / segment.name,
                )
                (work / segment.name).replace(segment)
        forgotten += found
    return forgotten


def written(connection: duckdb.DuckDBPyConnection, rows: str, columns: Sequence[str]) -> list[str]:
    """Return those columns of ids of a draft in which `rows` have ids that are no numbers."""
    counts = ", ".join(f"count({identifier(text_of(name))})" for name in columns)
    found = connection.execute(f"SELECT {counts} FROM {rows}").fetchone() if columns else ()
    return [name for name, count in zip(columns, found or (), strict=True) if count]


def query(rows: str, columns: Sequence[str]) -> str:
    """Return the query of the ids in these columns of `rows` that are no numbers."""
    texts = [identifier(text_of(name)) for name in columns]
    return " UNION ".join(f"SELECT {text} AS id FROM {rows} WHERE {text} IS NOT NULL" for text in texts)


def proposed(work: Path) -> Path:
    """Return the file of the numbers that stand in a table which was written into a folder."""
    return work / "ids.parquet"


class Proposal:
    """Numbers for the ids of one file as if it were the next to land, for `connection` and the table that it writes.

    Parameters
    ----------
    connection
        Holds the numbers in the table `id_numbers` once some have been proposed.
    landing_dir, work
        The landing folder, which stays as it is, and the folder of the file.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, landing_dir: Path, work: Path) -> None:
        self._connection, self._landing_dir, self._to = connection, landing_dir, proposed(work)

    def make(self, found: str) -> None:
        """Propose numbers, in sorted order, for those ids of a query (`id`) that have none; of no query for none."""
        self._to.unlink(missing_ok=True)
        if not found:
            return
        connection, last = self._connection, last_number(self._landing_dir)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE ids_found AS SELECT DISTINCT id FROM ({found})")
        numbers = (
            f"SELECT coalesce(number, {last} + row_number() OVER (PARTITION BY number IS NULL ORDER BY id)) AS number, "
            f"id FROM ids_found LEFT JOIN ({_rows(segments(self._landing_dir))}) USING (id)"
        )
        copy(connection, numbers, self._to)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS {_rows([self._to])}")


class Numbers:
    """The numbers of a landing, and how files get theirs, one after the other.

    Parameters
    ----------
    connection
        Holds them in the table `id_numbers` once a file has had ids that are no numbers.
    landing_dir
        The landing folder.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, landing_dir: Path) -> None:
        self._connection, self._landing_dir = connection, landing_dir
        self._loaded: set[Path] = set()
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS {_rows([])}")

    def give(self, proposal: Path, table: Path, contract: Contract) -> list[str]:
        """Make the proposed numbers those of the landing; where others have them by now the next ones, in `table`, too.

        Returns
        -------
        What to tell a person of ids that are nearly the same.
        """
        if not proposal.exists():
            return []
        connection, segment = self._connection, proposal.with_name("segment.parquet")
        ids = f"read_parquet({path_literal(proposal)})"
        while True:
            last = last_number(self._landing_dir)
            self._load()
            new = (
                f"SELECT {last} + row_number() OVER (ORDER BY id) AS number, id "
                f"FROM {ids} ANTI JOIN {_TABLE} USING (id)"
            )
            if not copy(connection, f"SELECT * FROM ({new}) ORDER BY number", segment):
                told = []
                break
            try:
                os.link(segment, self._landing_dir / "files" / f"ids-{last + 1}.parquet")
            except FileExistsError:  # another landing has given them meanwhile
                continue
            self._load()
            told = _twins(connection, ids)
            break
        self._renumber(ids, table, [c.name for c in contract.columns if c.kind is Kind.ID])
        return told

    def _load(self) -> None:
        found = [path for path in segments(self._landing_dir) if path not in self._loaded]
        self._connection.execute(f"INSERT INTO {_TABLE} {_rows(found)}")
        self._loaded.update(found)

    def _renumber(self, ids: str, table: Path, columns: Sequence[str]) -> None:
        moved = (
            f"SELECT proposed.number AS proposed, given.number FROM {ids} AS proposed "
            f"JOIN {_TABLE} AS given USING (id) WHERE proposed.number <> given.number"
        )
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE ids_moved AS {moved}")
        if not self._connection.execute("SELECT 1 FROM ids_moved LIMIT 1").fetchone():
            return
        joins = "".join(
            f" LEFT JOIN ids_moved AS moved_{at} ON rows.{identifier(name)} = moved_{at}.proposed"
            for at, name in enumerate(columns)
        )
        values = ", ".join(
            f"coalesce(moved_{at}.number, rows.{identifier(name)}) AS {identifier(name)}"
            for at, name in enumerate(columns)
        )
        copy(
            self._connection,
            f"SELECT rows.* REPLACE ({values}) FROM read_parquet({path_literal(table)}) AS rows{joins}",
            table,
        )


def numbered(columns: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return joins that find the numbers of these columns of the draft `draft`, and the expression of each column."""
    joins = "".join(
        f" LEFT JOIN {_TABLE} AS ids_{at} ON draft.{identifier(text_of(name))} = ids_{at}.id"
        for at, name in enumerate(columns)
    )
    return joins, {
        name: f"coalesce(draft.{identifier(name)}, ids_{at}.number)" for at, name in enumerate(columns)
    }


def _rows(parts: Sequence[Path]) -> str:
    files = ", ".join(str(path_literal(path)) for path in parts)
    if not files:
        return "SELECT NULL::BIGINT AS number, NULL::VARCHAR AS id WHERE false"
    return f"SELECT number, id FROM read_parquet([{files}])"


_SHOWN = 80


def _twins(connection: duckdb.DuckDBPyConnection, ids: str) -> list[str]:
    """Tell of ids that differ by case or outer blanks alone, new ones among them, and of numbers with blanks."""
    rows = connection.execute(
        f"SELECT count(*) OVER (), min(id), max(id) FROM {_TABLE} "
        f"WHERE lower(trim(id)) IN (SELECT lower(trim(id)) FROM {ids}) GROUP BY lower(trim(id)) HAVING "
        r"(count(*) > 1 OR (bool_or(id <> trim(id)) AND bool_or(regexp_full_match(trim(id), '(0|[1-9]\d*)')))) "
        "ORDER BY 2 LIMIT 1"
    ).fetchall()
    if not rows:
        return []
    count, one, other = rows[0]
    # As they are, but for their length: it is blanks that tell them apart.
    pair = f"'{one[:_SHOWN]}' and '{(other if other != one else one.strip())[:_SHOWN]}'"
    return [f"{count:,} ids differ from another by case or blanks alone and are kept apart, such as {pair}."]
