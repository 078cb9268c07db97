"""People taken out of raw files that are ours: those of the demo world, and downloads.

Belongs here: finding their rows in one raw file, writing it anew without them. Does not belong here: which files are
ours, what has landed of them (`ingest.forgetting`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence, Set
from contextlib import suppress as ignoring
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from ingest.agreeing import opened_head
from ingest.contracts import CONTRACTS
from ingest.errors import IngestError
from ingest.forgetting import Person, Touched, pattern
from ingest.ids import is_own_number
from ingest.landing import connect
from ingest.opening import Opening, Partitioned
from ingest.rawfiles import RawFile, format_of, open_packed
from ingest.readers import CsvTable, ParquetTable
from ingest.recognise import TableSource, table_source
from ingest.records import Dialect, UnterminatedRecordError, records
from ingest.sources import data_files
from ingest.sql import copy, identifier, path_literal, text_literal
from ingest.staging import stage_of
from ingest.suppressing import PEOPLE, Suppressed

_UNREADABLE = (IngestError, duckdb.Error, pa.ArrowException, UnterminatedRecordError, ValueError)


def forget_raw(folders: Iterable[Path], people: Sequence[Person]) -> list[Touched]:
    """Take people out of the raw files below folders that are ours; return what held them.

    Divided text, JSON and Parquet are written anew; a file that has to be unpacked or recoded first is removed, and so
    is one that is no table we know and names somebody: an id as a word, never a number, which may count anything.
    """
    return [
        replace(found, file=str(file.path.relative_to(folder.parent)))
        for folder in folders
        if folder.is_dir()
        for file in data_files(folder)
        if file.path.exists() and (found := _forget_file(file, people))
    ]


def take_out_listed(file: RawFile, source: TableSource, suppressed: Suppressed) -> bool:
    """Take the people of the list out of a raw file of ours; remove one that cannot be written without them.

    Returns
    -------
    Whether there is still a file.
    """
    found = None
    with ignoring(*_UNREADABLE):
        found = _without(file, source, suppressed)
    if found is None or not found.rows:
        file.path.unlink(missing_ok=True)
    return file.path.exists()


def _forget_file(file: RawFile, people: Sequence[Person]) -> Touched | None:
    for table, (kind, _) in PEOPLE.items():
        wanted = {each.id for each in people if each.kind == kind}
        with ignoring(*_UNREADABLE):
            source = table_source(CONTRACTS[table], file) if wanted else None
            if source and (found := _without(file, source, wanted)) is not None:
                return found if found.rows else None
    says = pattern([each for each in people if not is_own_number(each.id)])
    if says is None or _is_of_titles(file) or not re.search(says.pattern.encode(), _bytes_of(file)):
        return None
    file.path.unlink()
    return Touched(file.path.name, 1, "file removed")


def _is_of_titles(file: RawFile) -> bool:
    """Whether a file can be read as a table of no people, in which a word is no id."""
    for contract in (contract for table, contract in CONTRACTS.items() if table not in PEOPLE):
        with ignoring(IngestError, duckdb.Error, pa.ArrowException):
            with opened_head(file, table_source(contract, file).rule, contract) as (opened, _, connection):
                stage_of(contract, table_source(contract, file).rule, opened.raw, connection, file.name)
            return True
    return False


def _bytes_of(file: RawFile) -> bytes:
    """Return what a file holds, unpacked where it can be; what is no data, or cut off, is looked at as it lies."""
    with ignoring(IngestError):
        if format_of(file.path, name=file.name).is_packed:
            with open_packed(file) as stream:
                return stream.read()
    return file.path.read_bytes()


def _without(file: RawFile, source: TableSource, listed: Set[str] | Suppressed) -> Touched | None:
    """Write a raw file anew without the rows of some ids; None where no column of it holds ids of people.

    A file that had to be unpacked or put into another encoding to be read is removed.
    """
    contract, rule = CONTRACTS[source.table], source.rule
    _, name = PEOPLE[contract.table]
    with (
        TemporaryDirectory(dir=file.path.parent, prefix=".forget-") as folder,
        connect("1GB", 2, Path(folder)) as connection,
    ):
        to = Path(folder) / "kept"
        opened = Opening(file, file.name, rule, contract, Path(folder), connection).open()
        stage = stage_of(contract, rule, opened.raw, connection, file.name)
        places = [place for one in stage.bound if one.column.name == name for place in one.inputs]
        if not places:
            return None
        if isinstance(listed, Suppressed):
            kept_out = stage.find_kept_out(connection, listed)
            wanted, least = frozenset(kept_out.ids), kept_out.rows
        else:
            wanted, least = frozenset(listed), 0
        place = places[0]
        raw = opened.raw.raw if isinstance(opened.raw, Partitioned) else opened.raw
        if place >= len(raw.names):  # the name of a folder says whose rows these are
            is_theirs = file.partition.get(opened.raw.names[place]) in wanted
            file.path.unlink() if is_theirs else None
            return Touched(file.path.name, int(is_theirs), "file removed")
        if isinstance(raw, ParquetTable):
            rows = _parquet_without(connection, opened.path, raw.names[place], wanted, to)
        elif isinstance(raw, CsvTable):
            rows = _text_without(opened.path, raw.dialect, place, wanted, to)
        else:
            rows = _json_without(opened.path, raw.names[place], wanted, to)
        if rows < least:
            return None
        if not rows:
            return Touched(file.path.name, 0)
        if opened.path != file.path:
            file.path.unlink()
            return Touched(file.path.name, rows, "rows, file removed")
        to.replace(file.path)
        return Touched(file.path.name, rows)


def _parquet_without(
    connection: duckdb.DuckDBPyConnection, path: Path, column: str, wanted: Set[str], to: Path
) -> int:
    cell, rows = f"{identifier(column)}::VARCHAR", f"read_parquet({path_literal(path)})"
    listed = ", ".join(text_literal(spelled) for each in wanted for spelled in (each, f"{each}.0"))
    ((found,),) = connection.execute(f"SELECT count(*) FROM {rows} WHERE {cell} IN ({listed})").fetchall()
    if found:
        copy(connection, f"SELECT * FROM {rows} WHERE coalesce({cell} NOT IN ({listed}), true)", to)
    return int(found)


def _text_without(path: Path, dialect: Dialect, place: int, wanted: Set[str], to: Path) -> int:
    found, known = 0, [each.encode() for each in wanted]
    with path.open("rb") as source, to.open("wb") as target:
        for _, _, raw in records(source, dialect):
            if any(each in raw for each in known):
                cells = dialect.split(raw.decode("utf-8", errors="backslashreplace"))
                # Of a line with too few cells nobody knows which is which.
                if wanted & {_plain(cell) for cell in (cells[place : place + 1] or cells)}:
                    found += 1
                    continue
            target.write(raw)
    return found


def _json_without(path: Path, member: str, wanted: Set[str], to: Path) -> int:
    text = path.read_text(encoding="utf-8-sig", errors="backslashreplace")
    if text.lstrip().startswith("["):
        rows = json.loads(text)
        kept = [row for row in rows if _plain(str(row.get(member))) not in wanted]
        to.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        return len(rows) - len(kept)
    lines = text.splitlines(keepends=True)
    kept = [
        line for line in lines if not (any(each in line for each in wanted) and _is_of(line, member, wanted))
    ]
    to.write_text("".join(kept), encoding="utf-8")
    return len(lines) - len(kept)


def _is_of(line: str, member: str, wanted: Set[str]) -> bool:
    try:
        row = json.loads(line)
    except ValueError:
        return True  # no JSON, and it names somebody
    return isinstance(row, dict) and _plain(str(row.get(member))) in wanted


def _plain(cell: str) -> str:
    return re.sub(r"^(\d+)\.0$", r"\1", cell.rstrip("\r\n"))
