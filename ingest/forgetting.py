"""People taken out of what has landed.

Belongs here: finding their rows in landed files, writing these anew without them. Does not belong here: raw files that
are ours (`ingest.forgetting_raw`), keeping people out of what lands later (`ingest.suppressing`), all else that is made
of what has landed.

A landed file keeps its key, so that its raw file is known when it comes again, and the rows of people who were
forgotten count as left out. Each step gives the same when it is done again, for a kill may come between any two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest import ids
from ingest.cells import FIRST_TEXT_ID
from ingest.contracts import CONTRACTS, Kind
from ingest.errors import counted
from ingest.sql import copy, identifier, path_literal, text_literal
from ingest.store import LandedFile, workspace, write_manifest
from ingest.suppressing import A_PERSON, LEFT_OUT, PEOPLE, REMOVED, Suppressed, as_landed
from ingest.suppressing import Kind as WhoseKind
from ingest.writing import write_whole

_COUNTS = re.compile(rf"[\d,]+ rows? {re.escape(LEFT_OUT)}")


@dataclass(frozen=True)
class Person:
    """Somebody to be forgotten.

    Parameters
    ----------
    kind
        A user (of ratings, views and users), or a customer.
    id
        The id as the source writes it.
    number
        The number that stands for a user; None where none was given, and for customers.
    """

    kind: WhoseKind
    id: str
    number: int | None = None


@dataclass(frozen=True)
class Touched:
    """A file that held somebody: the rows that are gone from it, and what was done."""

    file: str
    rows: int
    what: str = "rows removed"


def person(landing_dir: Path, kind: WhoseKind, written: str) -> Person:
    """Return a person by the id as the source writes it."""
    plain = as_landed(kind, written)
    return Person(kind, plain, ids.number_of(landing_dir, plain) if kind == "user" else None)


def find_pending(landing_dir: Path, suppressed: Suppressed) -> list[Person]:
    """Return who of the list may still be here and can be found: the work of a killed command is done by the next."""
    found: set[Person] = set()
    for path, table in _tables(landing_dir):
        kind, column = PEOPLE[table]
        pending = [entry.hash for entry in suppressed.entries if entry.pending and entry.kind == kind]
        if not pending:
            continue
        files = ", ".join(path_literal(part) for part in ids.segments(landing_dir))
        texts = f"read_parquet([{files}])" if files else "(SELECT NULL::BIGINT AS number, NULL AS id)"
        written = "coalesce(ids.id, people.id::VARCHAR)"
        rows = f"SELECT DISTINCT {identifier(column)} AS id FROM read_parquet({path_literal(path)})"
        joined = f" LEFT JOIN {texts} AS ids ON people.id = ids.number" if kind == "user" else ""
        written = written if joined else "people.id"
        with duckdb.connect() as connection:
            listed = connection.execute(
                f"SELECT id, number FROM (SELECT {written} AS id, {'people.id' if joined else 'NULL'} AS number "
                f"FROM ({rows}) AS people{joined}) WHERE {suppressed.hash_sql(kind, 'id')} "
                "IN (SELECT unnest(?::VARCHAR[]))",
                [pending],
            ).fetchall()
        found |= {Person(kind, str(written), number) for written, number in listed}
    return sorted(found, key=lambda each: (each.kind, each.id))


def rows_of_files(landing_dir: Path, customers: Iterable[str]) -> list[tuple[str, str]]:
    """Return in which raw files (by hash) these ids of customers may be numbers of rows."""
    files = [path for path, table in _tables(landing_dir) if table == "customers"]
    wanted = set(customers)
    found = []
    for path in files if wanted else ():
        there = wanted & set(pq.read_table(path, columns=["customer_id"])["customer_id"].to_pylist())
        (sha256,) = pq.read_table(_manifest_of(path), columns=["sha256"])["sha256"].to_pylist()
        found += [(sha256, row) for row in sorted(there)]
    return found


def holding(landing_dir: Path, people: Sequence[Person]) -> set[str]:
    """Return which landed files, as `<table>-<key>`, have rows of these people."""
    held = set()
    for path, table in _tables(landing_dir):
        rows = f"read_parquet({path_literal(path)}) WHERE {_is_one_of(table, people)}"
        with duckdb.connect() as connection:
            if connection.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone():
                held.add(path.stem)
    return held


def forget_landed(landing_dir: Path, people: Sequence[Person], suppressed: Suppressed) -> list[Touched]:
    """Take people out of every landed file, whichever set it belongs to; return what held them.

    The texts of their ids go last: until then a killed command can be taken up again.
    """
    touched: list[Touched] = []
    with workspace(landing_dir) as work:
        for rejects in sorted((landing_dir / "files").glob("*-*.rejects.parquet")):
            table = rejects.name.partition("-")[0]
            path = rejects.with_name(rejects.name.replace(".rejects.", "."))  # not there of a refused file
            rows = 0
            if table in PEOPLE and path.exists():
                rows = _rewrite(path, _is_one_of(table, people), work)
            rejected = _redact(rejects, table, suppressed, work)
            if path.exists() and (rows or rejected or not _agrees(path, suppressed)):
                _recount(path, table, suppressed, work)
            touched += [Touched(path.name, rows)] if rows else []
            touched += [Touched(rejects.name, rejected, "lines blanked")] if rejected else []
        numbers = {each.number for each in people if each.number is not None and each.number >= FIRST_TEXT_ID}
        titles = _used_for_titles(landing_dir, numbers)
        count = ids.forget(landing_dir, numbers - titles, work)
        touched += [Touched("ids", count, "texts of ids removed")] if count else []
    return touched


def forget_reasons(landing_dir: Path, says: re.Pattern[str] | None, suppressed: Suppressed) -> list[Touched]:
    """Take out of what the landed sets remember of their files whatever names somebody; return what did."""
    touched = []
    for path in sorted((landing_dir / "sets").glob("*/source.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        refused = facts.get("refused") or {}
        named = [table for table, why in refused.items() if says and says.search(why)]
        before = json.dumps(facts)
        if named:
            facts["refused"] = refused | dict.fromkeys(named, f"A file was refused ({REMOVED}).")
            touched.append(Touched(str(path.relative_to(landing_dir)), len(named), "reasons blanked"))
        for files in (facts.get("files") or [], facts.get("gone") or []):
            files[:] = [[table, suppressed.renamed(name), key] for table, name, key in files]
        if json.dumps(facts) != before:
            write_whole(path, json.dumps(facts) + "\n")
    return touched


def pattern(people: Sequence[Person]) -> re.Pattern[str] | None:
    """Return what names one of these people in running text: an id as a word, a number in quotes alone.

    Cells that are quoted in messages stand in quotes, and names of files say a person before; without them every 7
    would be somebody. None of nobody.
    """
    texts = [re.escape(each.id) for each in people if not ids.is_own_number(each.id)]
    texts += [re.escape(json.dumps(each.id)[1:-1]) for each in people if not each.id.isascii()]
    own = [each.id for each in people if ids.is_own_number(each.id)]
    numbers = [rf"(?<=['\"]){number}(?=['\"])|{A_PERSON}{number}(?![^\W_])" for number in own]
    words = [rf"(?<![^\W_])(?:{'|'.join(texts)})(?![^\W_])"] if texts else []
    return re.compile("|".join(words + numbers)) if words or numbers else None


# ---------------------------------------------------------------------- landed files


def _tables(landing_dir: Path) -> Iterator[tuple[Path, str]]:
    """Yield the landed files with rows of people, and their tables."""
    for path in sorted((landing_dir / "files").glob("*-*.parquet")):
        table = path.name.partition("-")[0]
        if table in PEOPLE and path.name.count(".") == 1:
            yield path, table


def _manifest_of(path: Path) -> Path:
    return path.with_suffix(".manifest.parquet")


def _is_one_of(table: str, people: Sequence[Person]) -> str:
    """Return the SQL condition that a row of a landed table is of one of these people."""
    kind, column = PEOPLE[table]
    if kind == "user":
        wanted = [str(each.number) for each in people if each.kind == kind and each.number is not None]
    else:
        wanted = [text_literal(each.id) for each in people if each.kind == kind]
    return f"coalesce({identifier(column)} IN ({', '.join(wanted) or 'NULL'}), false)"


def _rewrite(path: Path, condition: str, work: Path) -> int:
    """Write a table anew without the rows of a condition, and return how many these were."""
    rows = f"read_parquet({path_literal(path)})"
    with duckdb.connect() as connection:
        ((found,),) = connection.execute(f"SELECT count(*) FROM {rows} WHERE {condition}").fetchall()
        if found:
            copy(connection, f"SELECT * FROM {rows} WHERE NOT {condition}", work / path.name)
            (work / path.name).replace(path)
    return int(found)


def _redact(path: Path, table: str, suppressed: Suppressed, work: Path) -> int:
    if not path.exists():
        return 0
    rejects = pq.read_table(path)
    before = list(zip(*rejects.to_pydict().values(), strict=True))
    after = list(suppressed.redacted(table, before))
    changed = sum(old != new for old, new in zip(before, after, strict=True))
    if changed:
        columns = [list(column) for column in zip(*after, strict=True)]
        pq.write_table(pa.table(columns, schema=rejects.schema), work / path.name)
        (work / path.name).replace(path)
    return changed


def _agrees(path: Path, suppressed: Suppressed) -> bool:
    """Whether a manifest tells the rows that are there, and names nobody."""
    manifest = _manifest_of(path)
    if not manifest.exists():
        return True
    (facts,) = pq.read_table(manifest, columns=["rows_landed", "source"]).to_pylist()
    is_hidden = suppressed.renamed(facts["source"]) == facts["source"]
    return is_hidden and bool(facts["rows_landed"] == pq.read_metadata(path).num_rows)


def _recount(path: Path, table: str, suppressed: Suppressed, work: Path) -> None:
    """Write the manifest of a table anew: rows that are gone count as left out, and its names are those of nobody."""
    manifest = _manifest_of(path)
    if not manifest.exists():
        return
    (facts,) = pq.read_table(manifest).to_pylist()
    landed = pq.read_metadata(path).num_rows
    gone = facts["rows_landed"] - landed
    before = sum(
        int(note.split(" ")[0].replace(",", "")) for note in facts["notes"] if _COUNTS.fullmatch(note)
    )
    notes = [note for note in facts["notes"] if not _COUNTS.fullmatch(note)]
    if table in PEOPLE:
        notes = [note for note in notes if not suppressed.quotes(PEOPLE[table][0], note)]
    out = gone + before
    notes += [f"{counted(out, 'row')} {LEFT_OUT}"] if out else []
    file = LandedFile(
        table=table,
        source=suppressed.renamed(facts["source"]),
        key=path.stem.partition("-")[2],
        sha256=facts["sha256"],
        size_bytes=facts["bytes"],
        rows_read=facts["rows_read"],
        rows_landed=landed,
        rows_rejected=facts["rows_rejected"],
        rows_left_out=facts["rows_left_out"] + gone,
        unreadable=json.loads(facts["unreadable_cells"]),
        notes=tuple(notes),
        layout=facts["layout"],
        known_quirks=0,
        raw_columns=json.loads(facts.get("raw_columns") or "{}"),
        landed_at=facts["landed_at"],
        path=path,
        rejects_path=path.with_suffix(".rejects.parquet"),
        manifest_path=manifest,
    )
    with duckdb.connect() as connection:
        write_manifest(connection, file, facts["last_id"], work / manifest.name)
    (work / manifest.name).replace(manifest)


def _used_for_titles(landing_dir: Path, numbers: set[int]) -> set[int]:
    """Return which numbers stand for titles, too: users and titles share one table of ids."""
    found: set[int] = set()
    wanted = ", ".join(map(str, numbers))
    for path in sorted((landing_dir / "files").glob("*-*.parquet")) if numbers else ():
        contract = CONTRACTS.get(path.name.partition("-")[0])
        if contract is None or path.name.count(".") != 1:
            continue
        person = PEOPLE.get(contract.table, ("", ""))[1]
        for column in contract.columns:
            if column.kind is Kind.ID and column.name != person:
                rows = f"read_parquet({path_literal(path)}) WHERE {identifier(column.name)} IN ({wanted})"
                with duckdb.connect() as connection:
                    answer = connection.execute(f"SELECT DISTINCT {identifier(column.name)} FROM {rows}")
                    found |= {int(row[0]) for row in answer.fetchall()}
    return found
