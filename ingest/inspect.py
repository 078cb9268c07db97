"""What a source holds and what would become of it, told from the first rows of each of its files.

Here: landing those rows in a folder that is thrown away, and reading off what came of them. Not here: the guesses for
unknown files (`ingest.guessing`), showing the answer (`matinee inspect`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from ingest import ids
from ingest.binding import Bound, bind, needs_types
from ingest.columns import look
from ingest.contracts import CONTRACTS, Kind
from ingest.databases import DatabaseTable
from ingest.declarations import ColumnRule, TableRule
from ingest.drafting import draft, place
from ingest.errors import IngestError
from ingest.guessing import Guess, guess_tables
from ingest.heads import Head, cut_head
from ingest.landing import land_file
from ingest.opening import Opening
from ingest.rawfiles import Format, RawFile
from ingest.readers import CsvTable
from ingest.recognise import TableSource, head_of, line_of
from ingest.sources import DECLARATIONS, data_files, resolve_source
from ingest.sql import identifier, path_literal
from ingest.store import LandedFile

ROWS = 10_000
"""Rows that are looked at in a file."""

_BYTES = 1 << 25
# Titles are looked at whole where that is quick: whether ids of ratings are among them cannot be told from a part.
_TITLE_ROWS = 300_000
_TITLE_BYTES = 1 << 26
_MOST_FILES = 3
_MOST_REASONS = 3
_MOST_GENRES = 8
_MOST_STEPS = 101
_WHOLE_TABLES = ("titles", "links")


@dataclass
class FileReport:
    """One file, or the like of several.

    Parameters
    ----------
    name, files
        Its name, and how many files are like it.
    what
        What it is: ``CSV, semicolons, quotes "", Windows-1252, with a header``.
    table
        What it would become; None: nothing.
    columns
        Landing column → raw column or expression.
    unused
        Raw columns that feed nothing.
    doubts
        Landing column → what in the guess needs a person.
    rows, is_whole
        Rows that were looked at, and whether these are all.
    rejected, left_out, reasons
        Rows of them that would not land, and the first reasons.
    unreadable
        Cells of them that could not be read, by landing column.
    notes
        How columns are read, as sentences.
    ids, scale, genres, times
        What stands in the columns.
    problem
        Why it would be refused; empty where it lands.
    """

    name: str
    files: int = 1
    what: str = ""
    table: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    is_whole: bool = True
    rejected: int = 0
    left_out: int = 0
    reasons: list[str] = field(default_factory=list)
    unreadable: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    scale: dict[str, float | None] = field(default_factory=dict)
    genres: dict[str, Any] = field(default_factory=dict)
    times: dict[str, list[str]] = field(default_factory=dict)
    problem: str = ""


@dataclass
class Meeting:
    """How many titles of a table are in the catalogue: of the different ids in the sample."""

    table: str
    ids: int
    found: int
    through_links: bool
    of_all_titles: bool


@dataclass
class Inspection:
    """What a source holds.

    Parameters
    ----------
    source
        What was inspected.
    layouts
        The known layouts or the declaration, each with its files; empty where all is guessed.
    unknown
        Why it is no known layout.
    files, meetings
        What was found.
    declaration
        The declaration to start from.
    """

    source: str
    layouts: list[str]
    unknown: str
    files: list[FileReport]
    meetings: list[Meeting]
    declaration: str = ""

    @property
    def can_run(self) -> bool:
        """Whether a run would take it: all of what is known or declared, or some of what was guessed."""
        lands = [not file.problem for file in self.files if file.table]
        return bool(lands) and (any(lands) if self.unknown else all(lands))

    def as_dict(self) -> dict[str, Any]:
        """Return all of it for other programs."""
        return {**asdict(self), "can_run": self.can_run}


def inspect(
    path: str | Path, *, folder: Path | None = None, rows: int = ROWS, max_rejected_share: float = 0.01
) -> Inspection:
    """Look at the first rows of each file of a source.

    Parameters
    ----------
    path
        A folder, file, archive or declaration.
    folder
        Where the declaration will lie; its files are named from there.
    rows
        How many rows of each file.
    max_rejected_share
        What a run would refuse.

    Raises
    ------
    IngestError
        When there is no such path, or its declaration does not fit.
    """
    path = Path(path).expanduser()
    unknown, layouts, tables, others = "", [], [], []
    try:
        source = resolve_source(str(path))
        tables, layouts = [(table, {}) for table in source.tables], source.found
    except IngestError as error:
        is_declared = path.suffix.lower() in (".yaml", ".yml") or any((path / name).exists() for name in DECLARATIONS)
        if is_declared or not path.exists():
            raise
        unknown = str(error)
    with tempfile.TemporaryDirectory(prefix="matinee-inspect-") as work:
        sampling = _Sampling(Path(work), rows, max_rejected_share)
        if unknown:
            tables, others = sampling.guessed(path)
        reports = [sampling.report(table, doubts) for table, doubts in tables]
        if layouts and path.is_dir() and not _is_declared(tables):
            others = sampling.left_alone(path, [table for table, _ in tables])
        meetings = sampling.meetings()
    answer = Inspection(str(path), layouts, unknown, [*reports, *others], meetings)
    answer.declaration = _declaration(answer, tables, reports, others, folder or Path.cwd())
    return answer


def _is_declared(tables: Sequence[tuple[TableSource, Mapping[str, str]]]) -> bool:
    return any(table.rule.files or table.rule.database for table, _ in tables)


def _declaration(
    answer: Inspection,
    tables: Sequence[tuple[TableSource, Mapping[str, str]]],
    reports: Sequence[FileReport],
    others: Sequence[FileReport],
    folder: Path,
) -> str:
    drafted = [
        (table.table, _bound_only(place(table.rule, table.files, folder), report), doubts, report.problem)
        for (table, doubts), report in zip(tables, reports, strict=True)
    ]
    unused = {file.name: file.problem or "; ".join(file.notes) for file in others}
    return draft(f"What Matinee makes of {Path(answer.source).name}: matinee run --source THIS_FILE", drafted, unused)


def _bound_only(rule: TableRule, report: FileReport) -> TableRule:
    """Name every column that was found, and none that a layout knows and this copy of its files has not."""
    if not report.columns:
        return rule
    said = {name: rule.columns.get(name) or ColumnRule(value=(of,)) for name, of in report.columns.items()}
    found = {name: of.model_copy(update={"value": (report.columns[name],)}) for name, of in said.items()}
    return rule.model_copy(update={"columns": found})


class _Sampling:
    """Heads of files, landed in a folder of their own."""

    def __init__(self, work: Path, rows: int, max_rejected_share: float) -> None:
        self.work, self.rows, self.most = work, rows, max_rejected_share
        self.landing = work / "landing"
        self.landed: dict[str, list[LandedFile]] = {}
        self.wholes: dict[str, bool] = {}
        self._numbers = count()

    def _folder(self) -> Path:
        return self.work / f"{next(self._numbers)}"

    # ------------------------------------------------------------------ what is known or declared

    def report(self, table: TableSource, doubts: Mapping[str, str]) -> FileReport:
        """Land the head of the first, the middle and the last file of a table, and tell what came of them."""
        chosen = [table.files[at] for at in sorted({0, len(table.files) // 2, len(table.files) - 1})][:_MOST_FILES]
        report = FileReport(chosen[0].name, len(table.files), table=table.table, doubts=dict(doubts))
        landed = []
        for file in chosen:
            try:
                landed += [self._land(table, file, report)]
            except (IngestError, duckdb.Error, OSError) as error:
                report.problem = report.problem or str(error)
        self.landed.setdefault(table.table, []).extend(landed)
        self.wholes[table.table] = report.is_whole and len(chosen) == len(table.files)
        if landed:
            with duckdb.connect() as connection:
                _Facts(connection, self.landing, landed, table.table).fill(report)
        return report

    def _land(self, table: TableSource, file: RawFile | DatabaseTable, report: FileReport) -> LandedFile:
        head, what = self._head(table.table, file)
        report.what = report.what or what
        if isinstance(head, Head):
            report.is_whole &= head.is_whole
            self._bind(table, head, report)
        sample = head.file if isinstance(head, Head) else head
        landed = land_file(table, sample, self.landing, max_rejected_share=1.0)
        if isinstance(head, DatabaseTable):
            report.is_whole &= landed.rows_read < (head.limit or 0)
        report.rows += landed.rows_read
        report.rejected += landed.rows_rejected - landed.known_quirks
        report.left_out += landed.rows_left_out
        for column, cells in (landed.unreadable or {}).items():
            report.unreadable[column] = report.unreadable.get(column, 0) + cells
        report.notes += [note for note in landed.notes if note not in report.notes]
        if report.rejected > self.most * report.rows:
            report.problem = f"{report.rejected:,} of {report.rows:,} rows would be rejected; at most {self.most:.2%} may."
        for column, cells in report.unreadable.items():
            if cells > self.most * report.rows and not report.problem:
                report.problem = f"{cells:,} of {report.rows:,} cells of {column} cannot be read; at most {self.most:.2%} may."
        return landed

    def _head(self, table: str, file: RawFile | DatabaseTable) -> tuple[Head | DatabaseTable, str]:
        is_small = table in _WHOLE_TABLES
        rows = max(self.rows, _TITLE_ROWS) if is_small else self.rows
        if isinstance(file, DatabaseTable):
            return replace(file, limit=rows), f"a table of a database ({file.scheme})"
        head = cut_head(file, self._folder(), rows=rows, most_bytes=_TITLE_BYTES if is_small else _BYTES)
        return head, _kind_of(head)

    def _bind(self, table: TableSource, head: Head, report: FileReport) -> None:
        """Tell how the file is read and which of its columns feed which landing column."""
        if report.columns:
            return
        contract, rule = CONTRACTS[table.table], table.rule
        folder = self._folder()
        folder.mkdir()
        with duckdb.connect() as connection:
            opened = Opening(head.file, head.file.name, rule, contract, folder, connection).open()
            raw = opened.raw
            if isinstance(raw, CsvTable):
                report.what = _dialect(report.what, raw, rule)
            types = raw.sniffed(connection) if needs_types(rule, raw.names) else {}
            bound = bind(contract, rule, raw.names, raw.natives, types, head.file.name)
        report.columns = {b.column.name: _source_of(b) for b in bound}
        used = {at for b in bound for at in b.inputs}
        report.unused = [name for at, name in enumerate(raw.names) if at not in used]

    # ------------------------------------------------------------------ what is unknown

    def guessed(self, path: Path) -> tuple[list[tuple[TableSource, Mapping[str, str]]], list[FileReport]]:
        """Return the best guess of each table, and the files that none is made of."""
        best: dict[str, tuple[int, TableSource, Guess]] = {}
        others = []
        for files in _alike(path):
            report = FileReport(files[0].name, len(files))
            try:
                head = cut_head(files[0], self._folder(), rows=self.rows, most_bytes=_BYTES)
                report.what = _kind_of(head)
                rule, columns = look(head, self._folder())
            except (IngestError, duckdb.Error, OSError) as error:
                report.problem = error.problem if isinstance(error, IngestError) else str(error)
                others.append(report)
                continue
            guesses = guess_tables(columns)
            size = sum(file.path.stat().st_size for file in files)
            for guess in guesses:
                source = TableSource(guess.table, _rule(rule, guess), tuple(files), "a guess")
                taken = best.get(guess.table)
                loser = min([taken, (size, source, guess)], key=lambda o: o[0]) if taken else None
                best[guess.table] = max([taken, (size, source, guess)], key=lambda o: o[0]) if taken else (size, source, guess)
                if loser:
                    others.append(FileReport(loser[1].files[0].name, len(loser[1].files), report.what, notes=[f"looks like {guess.table} too, and another file is larger"]))
            if not guesses:
                report.unused = [column.name for column in columns]
                report.notes = [f"no table is recognised in its columns ({', '.join(report.unused[:12])})"]
                others.append(report)
        found = [(source, guess.doubts) for _, source, guess in best.values()]
        order = list(CONTRACTS)
        return sorted(found, key=lambda entry: order.index(entry[0].table)), others

    def left_alone(self, path: Path, tables: Sequence[TableSource]) -> list[FileReport]:
        """Return the files of a folder that its layout does not use."""
        used = {file for table in tables for file in table.files if isinstance(file, RawFile)}
        used_paths = {(file.path, file.member) for file in used}
        return [
            FileReport(file.name, notes=["not part of the layout"])
            for file in data_files(path)
            if (file.path, file.member) not in used_paths
        ]

    # ------------------------------------------------------------------ all of it

    def meetings(self) -> list[Meeting]:
        """Compare the titles of ratings and views with the catalogue."""
        titles, links = self.landed.get("titles"), self.landed.get("links")
        if not titles:
            return []
        found = []
        with duckdb.connect() as connection:
            known = f"SELECT title_id AS id FROM {_relation(titles)}"
            if links:
                known = f"SELECT rated_id AS id FROM {_relation(links)} WHERE title_id IN ({known})"
            for table in ("ratings", "views"):
                if not self.landed.get(table):
                    continue
                row = connection.execute(
                    f"SELECT count(*), count(*) FILTER (title_id IN ({known})) "
                    f"FROM (SELECT DISTINCT title_id FROM {_relation(self.landed[table])})"
                ).fetchone() or (0, 0)
                whole = all(self.wholes[name] for name in _WHOLE_TABLES if self.landed.get(name))
                found.append(Meeting(table, row[0], row[1], bool(links), whole))
        return found


class _Facts:
    """What stands in the landed rows of a table."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, landing: Path, landed: Sequence[LandedFile], table: str) -> None:
        self.connection, self.rows, self.contract = connection, _relation(landed), CONTRACTS[table]
        self.landed = landed
        paths = ", ".join(path_literal(path) for path in ids.segments(landing))
        self.texts = f"read_parquet([{paths}])" if paths else "(SELECT NULL::BIGINT AS number, NULL AS id WHERE false)"

    def fill(self, report: FileReport) -> None:
        """Write the facts into the report."""
        for column in self.contract.columns:
            if column.name not in report.columns:
                continue
            name = identifier(column.name)
            if column.kind is Kind.ID:
                report.ids[column.name] = self._ids(name)
            elif column.name == "rating":
                report.scale = self._scale(name)
            elif column.name == "genres":
                report.genres = self._genres(column.kind)
            elif column.kind in (Kind.DATE, Kind.MOMENT, Kind.LOCAL_TIME):
                least, most = self._one(f"SELECT min({name})::VARCHAR, max({name})::VARCHAR FROM {self.rows}")
                report.times |= {column.name: [least, most]} if least else {}
        report.reasons = [str(row[0]) for row in self.connection.execute(self._rejects()).fetchall()]

    def _one(self, query: str) -> tuple[Any, ...]:
        return self.connection.execute(query).fetchone() or ()

    def _rejects(self) -> str:
        paths = ", ".join(path_literal(file.rejects_path) for file in self.landed)
        return (
            f"SELECT source || ' line ' || line || ': ' || reason FROM read_parquet([{paths}]) "
            f"WHERE NOT is_known_quirk LIMIT {_MOST_REASONS}"
        )

    def _ids(self, name: str) -> dict[str, int]:
        """Return how many different ids are whole numbers, UUIDs, e-mails, hashes and other text."""
        rows = self.connection.execute(
            "SELECT CASE WHEN id IS NULL THEN 'whole numbers' "
            r"WHEN regexp_full_match(id, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') THEN 'UUIDs' "
            r"WHEN regexp_full_match(id, '[^@\s]+@[^@\s]+\.[^@\s]+') THEN 'e-mails' "
            "WHEN regexp_full_match(id, '[0-9a-fA-F]{16,}') THEN 'hashes' ELSE 'text' END AS kind, count(*) "
            f"FROM (SELECT DISTINCT {name} AS own FROM {self.rows} WHERE {name} IS NOT NULL) "
            f"LEFT JOIN {self.texts} ON own = number GROUP BY kind ORDER BY count(*) DESC"
        ).fetchall()
        return {str(kind): int(total) for kind, total in rows}

    def _scale(self, name: str) -> dict[str, float | None]:
        rows = self.connection.execute(
            f"SELECT DISTINCT {name} FROM {self.rows} WHERE {name} IS NOT NULL ORDER BY 1 LIMIT {_MOST_STEPS + 1}"
        ).fetchall()
        values = [float(row[0]) for row in rows]
        steps = [round(high - low, 6) for low, high in zip(values, values[1:], strict=False)]
        least, most = self._one(f"SELECT min({name}), max({name}) FROM {self.rows}")
        return {"least": least, "most": most, "step": min(steps) if steps and len(values) <= _MOST_STEPS else None}

    def _genres(self, kind: Kind) -> dict[str, Any]:
        labels = "genres" if kind is Kind.LABELS else "list_transform(string_split(genres, ','), lambda g: trim(g))"
        rows = self.connection.execute(
            f"SELECT genre, count(*) FROM (SELECT unnest({labels}) AS genre FROM {self.rows}) "
            "WHERE genre <> '' GROUP BY genre ORDER BY count(*) DESC, genre"
        ).fetchall()
        return {"different": len(rows), "most": dict(rows[:_MOST_GENRES])}


def _relation(landed: Sequence[LandedFile]) -> str:
    return f"read_parquet([{', '.join(path_literal(file.path) for file in landed)}])"


def _rule(rule: TableRule, guess: Guess) -> TableRule:
    columns = {name: ColumnRule(value=(said,)) for name, said in guess.columns.items()}
    return rule.model_copy(update={"columns": columns})


def _source_of(bound: Bound) -> str:
    return bound.expression or bound.label


def _kind_of(head: Head) -> str:
    packed = f", packed ({head.packed.value})" if head.packed else ""
    return f"{head.kind.value if head.kind is not Format.JSON_LIST else 'JSON list'}{packed}"


def _dialect(what: str, raw: CsvTable, rule: TableRule) -> str:
    from ingest.readers import DELIMITERS  # noqa: PLC0415

    dialect = raw.dialect
    divided = DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))
    quoted = f"quotes {dialect.quote}" if dialect.quote else "no quotes"
    header = "with a header" if dialect.has_header else "without a header"
    return f"{what}, {divided}, {quoted}, {rule.encoding or 'UTF-8'}, {header}"


def _alike(path: Path) -> Iterator[list[RawFile]]:
    """Yield the files of a folder, those of one folder and one header together."""
    groups: dict[tuple[str, str], list[RawFile]] = {}
    for file in data_files(path):
        try:
            head = head_of(file)
        except IngestError:
            head = [file.name]  # what is wrong with it is told when it is opened
        shown = repr(head) if isinstance(head, list) else line_of(head)
        folder = os.path.dirname(os.path.relpath(file.path, path if path.is_dir() else path.parent)).partition("/")[0]
        groups.setdefault((folder, shown), []).append(file)
    yield from groups.values()
