"""What a source holds and what would become of it, told from the first rows of each of its files.

Belongs here: landing those rows in a folder that is thrown away, and reading off what came of them. Does not belong
here: the guesses for unknown files (`ingest.guessing`), showing the answer (`matinee inspect`).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from ingest.agreeing import opened_head
from ingest.arrivals import files_that_wait, rules_of, source_of
from ingest.cells import Form
from ingest.columns import look
from ingest.contracts import CONTRACTS
from ingest.databases import DatabaseTable
from ingest.declarations import ColumnRule, TableRule
from ingest.drafting import column_text, draft, place
from ingest.errors import IngestError, counted
from ingest.facts import MOST_REASONS, Facts, FileReport, reasons, relation
from ingest.guessing import Guess, guess_tables
from ingest.heads import Head, cut_head
from ingest.landing import TooManyRejectsError, land_file
from ingest.opening import Opening
from ingest.rawfiles import Format, RawFile, encoding_of, is_utf16
from ingest.readers import DELIMITERS, CsvTable, RawTable
from ingest.recognise import Raw, TableSource, head_of
from ingest.rejecting import is_too_many
from ingest.sources import (
    DECLARATIONS,
    INCOMING,
    Source,
    data_files,
    declaration_of,
    members_of,
    resolve_source,
)
from ingest.staging import ORDER_ASKED, stage_of
from ingest.store import LandedFile

ROWS = 10_000
"""Rows that are looked at in a file."""

_BYTES = 1 << 25
# Titles are looked at whole where that is quick: whether ids of ratings are among them cannot be told from a part.
_TITLE_ROWS = 300_000
_TITLE_BYTES = 1 << 26
_WHOLE_TABLES = ("titles", "links")
_GUESS = "a guess"
_BOUNDS_GUESSED = (
    "minimum and maximum are the lowest and the highest seen: is this the scale? A row beyond is rejected"
)


_Known = tuple[TableSource, Mapping[str, str]]
"""What becomes a table, and the doubts of its columns."""


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
    waits
        Whether it is the drop folder of a warehouse: files that wait for the next run.
    declaration
        The declaration to start from.
    """

    source: str
    layouts: list[str]
    unknown: str
    files: list[FileReport]
    meetings: list[Meeting]
    waits: bool = False
    declaration: str = ""

    @property
    def can_run(self) -> bool:
        """Whether a run would take it: all of what is known or declared, or some of what was guessed or waits."""
        lands = [not file.problem for file in self.files if file.table]
        return bool(lands) and (any(lands) if self.unknown or self.waits else all(lands))

    def as_dict(self) -> dict[str, Any]:
        """Return all of it for other programs."""
        return {**asdict(self), "can_run": self.can_run}


def inspect(
    path: str | Path,
    *,
    folder: Path | None = None,
    rows: int = ROWS,
    max_rejected_share: float = 0.01,
    run_source: str = "",
) -> Inspection:
    """Look at the first rows of each file of a source.

    Parameters
    ----------
    path
        A folder, file, archive or declaration; or the drop folder of a warehouse, or its declaration.
    folder
        Where the declaration will lie; its files are named from there.
    rows
        How many rows of each file.
    max_rejected_share
        What a run would refuse.
    run_source
        The source of runs, whose declaration counts for the drop folder, too.

    Raises
    ------
    IngestError
        When there is no such path, or its declaration does not fit.
    """
    path = Path(path).expanduser()
    unknown, layouts, kind = "", list[str](), ""
    tables, others = list[_Known](), list[FileReport]()
    incoming = path.parent if path.name in DECLARATIONS else path
    waits = incoming.name == INCOMING and any((incoming / table).is_dir() for table in CONTRACTS)
    try:
        if not waits:
            source = resolve_source(str(path))
            tables, layouts, kind = [(table, {}) for table in source.tables], source.found, source.kind
    except IngestError as error:
        is_declared = path.suffix.lower() in (".yaml", ".yml") or any(
            (path / name).exists() for name in DECLARATIONS
        )
        if is_declared or not path.exists():
            raise
        where = f"{error.where}: " if error.where and error.where != str(path) else ""
        unknown = f"{where}{error.problem.partition(' There are: ')[0]}"
    with tempfile.TemporaryDirectory(prefix="matinee-inspect-") as work:
        sampling = _Sampling(Path(work), rows, max_rejected_share)
        if waits:
            tables, others = sampling.waiting(incoming, run_source)
            known = tuple(table for table, _ in tables if table.layout != _GUESS)
            layouts = Source("incoming", str(incoming), known).found
            unknown = ", ".join(table.files[0].name for table, _ in tables if table.layout == _GUESS)
        elif unknown:
            tables, others = sampling.guessed(path)
        reports = [sampling.report(table, doubts) for table, doubts in tables]
        if unknown and not waits and (useless := sampling.useless_links()):
            at = next(at for at, report in enumerate(reports) if report.table == "links")
            others.append(FileReport(reports.pop(at).name, notes=[useless]))
            del tables[at]
        if kind == "folder" and path.is_dir():
            others = sampling.left_alone(path, [table for table, _ in tables])
        meetings = sampling.meetings()
    answer = Inspection(str(path), layouts, unknown, [*reports, *others], meetings, waits)
    answer.declaration = _declaration(answer, tables, reports, others, folder or Path.cwd())
    return answer


def _declaration(
    answer: Inspection,
    tables: Sequence[_Known],
    reports: Sequence[FileReport],
    others: Sequence[FileReport],
    folder: Path,
) -> str:
    drafted = {}
    for (table, _), report in zip(tables, reports, strict=True):
        # The drop folder knows by the table's name where its files are.
        placed = table.rule.model_copy(update={"files": (), "named": ()})
        if not answer.waits:
            placed = place(table.rule, table.files, folder)
        rule, doubts = _with_scale(_bound_only(placed, report), report)
        # Of several shapes that wait for a table the layout of the known ones counts without a word.
        if table.table not in drafted or table.layout == _GUESS:
            drafted[table.table] = (table.table, rule, doubts, report.problem)
    unused = {file.name: file.problem or "; ".join(file.notes) for file in others}
    of = Path(answer.source).resolve().name
    use = "as incoming/matinee.yaml" if answer.waits else "matinee run --source THIS_FILE"
    return draft(f"What Matinee makes of {of}: {use}", list(drafted.values()), unused)


def _bound_only(rule: TableRule, report: FileReport) -> TableRule:
    """Name every column that was found, and none that a layout knows and this copy of its files has not."""
    if not report.columns:
        return rule
    said = {name: rule.columns.get(name) or ColumnRule(value=(of,)) for name, of in report.columns.items()}
    found = {name: of.model_copy(update={"value": (report.columns[name],)}) for name, of in said.items()}
    return rule.model_copy(update={"columns": found})


def _with_scale(rule: TableRule, report: FileReport) -> tuple[TableRule, dict[str, str]]:
    """Return the rule with the lowest and the highest rating seen as bounds, where it has none, and the doubts."""
    rating, least, most = rule.columns.get("rating"), report.scale.get("least"), report.scale.get("most")
    if rating is None or least is None or most is None or {rating.minimum, rating.maximum} != {None}:
        return rule, report.doubts
    bounds = {
        key: int(seen) if seen == int(seen) else seen for key, seen in (("minimum", least), ("maximum", most))
    }
    doubt = "; ".join([*filter(None, [report.doubts.get("rating")]), _BOUNDS_GUESSED])
    columns = {**rule.columns, "rating": rating.model_copy(update=bounds)}
    return rule.model_copy(update={"columns": columns}), {**report.doubts, "rating": doubt}


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
        chosen = [table.files[at] for at in sorted({0, len(table.files) // 2, len(table.files) - 1})]
        report = FileReport(chosen[0].name, len(table.files), table=table.table, doubts=dict(doubts))
        landed = []
        for file in chosen:
            try:
                landed += [found] if (found := self._land(table, file, report)) else []
            except (IngestError, duckdb.Error, OSError) as error:
                report.problem = report.problem or str(error)
        self._judge(report)
        self.landed.setdefault(table.table, []).extend(landed)
        report.is_whole &= len(chosen) == len(table.files)
        self.wholes[table.table] = report.is_whole
        if landed:
            with duckdb.connect() as connection:
                Facts(connection, self.landing, landed, table.table).fill(report)
        return report

    def _land(self, table: TableSource, file: Raw, report: FileReport) -> LandedFile | None:
        """Land the head of a file and count what came of it; None where nothing did."""
        head = self._head(table.table, file)
        report.is_whole &= head.is_whole
        if not report.columns:
            self._bind(table, head, report)
        try:
            landed, lands = land_file(table, head.file, self.landing, max_rejected_share=1.0), True
        except TooManyRejectsError as error:
            landed, lands = error.landed, False
        report.rows += landed.rows_read
        report.rejected += landed.rows_rejected - landed.known_quirks
        report.left_out += landed.rows_left_out
        for column, cells in landed.unreadable.items():
            report.unreadable[column] = report.unreadable.get(column, 0) + cells
        notes = [
            re.sub(r"^[\d,]+ rows? left out \((.*)\)\.$", r"left out: \1.", note)
            for note in landed.notes
            if ORDER_ASKED not in note  # the doubt of the column says it
        ]
        report.notes += [note for note in notes if note not in report.notes]
        report.reasons += reasons(landed)[: MOST_REASONS - len(report.reasons)]
        return landed if lands else None

    def _judge(self, report: FileReport) -> None:
        """Say what of a sample a run would refuse the file for."""
        bad = [
            f"{cells:,} of {counted(report.rows, 'cell')} of {column} cannot be read"
            for column, cells in report.unreadable.items()
            if is_too_many(cells, report.rows, self.most)
        ]
        if is_too_many(report.rejected, report.rows, self.most):
            bad.insert(0, f"{report.rejected:,} of {counted(report.rows, 'row')} would be rejected")
        if bad and not report.problem:
            report.problem = f"{bad[0]}; at most {self.most:.2%} may."

    def _head(self, table: str, file: Raw) -> Head:
        is_small = table in _WHOLE_TABLES
        rows = max(self.rows, _TITLE_ROWS) if is_small else self.rows
        folder = self._folder()
        if isinstance(file, DatabaseTable):
            exported = self._folder()
            exported.mkdir()
            file = RawFile(replace(file, limit=rows + 1).export(exported), label=file.name)
        return cut_head(file, folder, rows=rows, most_bytes=_TITLE_BYTES if is_small else _BYTES)

    def _bind(self, table: TableSource, head: Head, report: FileReport) -> None:
        """Tell how the file is read and which of its columns feed which landing column."""
        contract, rule = CONTRACTS[table.table], table.rule
        folder = self._folder()
        folder.mkdir()
        with duckdb.connect() as connection:
            opened = Opening(head.file, head.file.name, rule, contract, folder, connection).open()
            raw = opened.raw
            report.what = _described(head, rule, raw)
            stage = stage_of(contract, rule, raw, connection, head.file.name)
            forms, _ = stage.forms(connection, sample=False)
        bound = stage.bound
        for b in bound:
            if forms.get(b.column.name, Form()).asks_order:
                said = {"value": (b.expression or b.label,), "order": "day first"}
                asked = f"{ORDER_ASKED}: write {column_text(b.rule.model_copy(update=said))}, or month first"
                report.doubts[b.column.name] = asked
        report.columns = {b.column.name: b.expression or b.label for b in bound}
        used = {at for b in bound for at in b.inputs}
        report.unused = [name for at, name in enumerate(raw.names) if at not in used]

    # ------------------------------------------------------------------ what is unknown

    def guessed(self, path: Path) -> tuple[list[_Known], list[FileReport]]:
        """Return the best guess of each table, and the files that none is made of."""
        best: dict[str, tuple[int, TableSource, Guess]] = {}
        others = []
        for files in _alike(data_files(path), path if path.is_dir() else path.parent):
            report = FileReport(files[0].name, len(files))
            try:
                head = cut_head(files[0], self._folder(), rows=self.rows, most_bytes=_BYTES)
                rule, columns = look(head, self._folder())
                report.what = _described(head, rule)
            except (IngestError, duckdb.Error, OSError) as error:
                report.problem = error.problem if isinstance(error, IngestError) else str(error)
                others.append(report)
                continue
            guesses = guess_tables(columns, files[0].name)
            size = sum(file.path.stat().st_size for file in files)
            for guess in guesses:
                source = TableSource(guess.table, _rule(rule, guess), tuple(files), _GUESS)
                options = [(size, source, guess), *([best[guess.table]] if guess.table in best else [])]
                best[guess.table], *lost = sorted(options, key=lambda option: -option[0])
                others += [_second(table) for _, table, _ in lost]
            if not guesses:
                report.unused = [column.name for column in columns]
                report.notes = [f"no table is recognised in its columns ({', '.join(report.unused[:12])})"]
                others.append(report)
        found = [(source, guess.doubts) for _, source, guess in best.values()]
        order = list(CONTRACTS)
        return sorted(found, key=lambda entry: order.index(entry[0].table)), others

    def waiting(self, incoming: Path, run_source: str) -> tuple[list[_Known], list[FileReport]]:
        """Return how the files of the drop folder are read, by a guess where a run would fail them, and the others."""
        declared = (
            resolve_source(run_source).tables if run_source and declaration_of(Path(run_source)) else ()
        )
        rules = rules_of(incoming, {table.table: table for table in declared})
        found, others = list[_Known](), list[FileReport]()
        there = (file for _, path in files_that_wait(incoming) for file in members_of(path, incoming))
        for files in _alike(there, incoming):
            table = next(iter(files[0].path.relative_to(incoming).parent.parts), "")
            try:
                found.append((_as_read(files, table, incoming, rules), {}))
            except (IngestError, duckdb.Error, OSError) as error:
                said = f"{error.problem} {error.next_step}" if isinstance(error, IngestError) else str(error)
                with suppress(IngestError, duckdb.Error, OSError):
                    guess, doubts = self._guess(files, table)
                    found.append((_as_read(files, table, incoming, {table: [guess]}), doubts))
                    continue
                of = table if table in CONTRACTS else None
                others.append(FileReport(files[0].name, len(files), table=of, problem=said))
        return sorted(found, key=lambda entry: list(CONTRACTS).index(entry[0].table)), others

    def _guess(self, files: Sequence[RawFile], table: str) -> _Known:
        """Return the guess of how files become a table; where there is none, as they are."""
        head = cut_head(files[0], self._folder(), rows=self.rows, most_bytes=_BYTES)
        rule, columns = look(head, self._folder())
        guesses = {guess.table: guess for guess in guess_tables(columns, files[0].name)}
        guess = guesses.get(table, Guess(table))
        return TableSource(table, _rule(rule, guess), tuple(files), _GUESS), guess.doubts

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

    def useless_links(self) -> str:
        """Drop links through which no more ids meet than without them, and say so; empty where there are none."""
        links = self.landed.get("links")
        through = sum(meeting.found for meeting in self.meetings())
        if not links or not self.landed.get("titles"):
            return ""
        del self.landed["links"]
        if sum(meeting.found for meeting in self.meetings()) >= through:
            return "looks like links, and ratings or views meet the titles without"
        self.landed["links"] = links
        return ""

    def meetings(self) -> list[Meeting]:
        """Compare the titles of ratings and views with the catalogue."""
        titles, links = self.landed.get("titles"), self.landed.get("links")
        if not titles:
            return []
        whole = all(self.wholes[name] for name in _WHOLE_TABLES if self.landed.get(name))
        known = f"SELECT title_id AS id FROM {relation(titles)}"
        if links:
            known = f"SELECT rated_id AS id FROM {relation(links)} WHERE title_id IN ({known})"
        found = []
        with duckdb.connect() as connection:
            for table in ("ratings", "views"):
                if landed := self.landed.get(table):
                    row = connection.execute(
                        f"SELECT count(*), count(*) FILTER (title_id IN ({known})) "
                        f"FROM (SELECT DISTINCT title_id FROM {relation(landed)})"
                    ).fetchone() or (0, 0)
                    found.append(Meeting(table, row[0], row[1], bool(links), whole))
        return found


def _rule(rule: TableRule, guess: Guess) -> TableRule:
    columns = {name: ColumnRule(value=(said,)) for name, said in guess.columns.items()}
    return rule.model_copy(update={"columns": columns})


def _as_read(
    files: Sequence[RawFile], table: str, incoming: Path, rules: Mapping[str, list[TableSource]]
) -> TableSource:
    """Return how a run would read files of the drop folder that are alike; an error where it would fail them."""
    source, file = source_of(files[0].path, table, incoming, rules)
    with opened_head(file, source.rule, CONTRACTS[table]) as (opened, _, connection):
        stage_of(CONTRACTS[table], source.rule, opened.raw, connection, file.name)
    return replace(source, files=tuple(files))


def _second(table: TableSource) -> FileReport:
    note = f"looks like {table.table} too, and another file is larger"
    return FileReport(table.files[0].name, len(table.files), notes=[note])


def _described(head: Head, rule: TableRule, raw: RawTable | None = None) -> str:
    """Return what a file is: ``CSV, packed (gzip), semicolons, quotes ", UTF-8, with a header``."""
    said = ["JSON list" if head.kind is Format.JSON_LIST else head.kind.value]
    said += [f"packed ({head.packed.value})"] if head.packed else []
    if isinstance(raw, CsvTable):
        dialect, path = raw.dialect, head.file.path
        found = "UTF-16" if is_utf16(path) else "Windows-1252" if encoding_of(path) else "UTF-8"
        said += [
            DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter)),
            f"quotes {dialect.quote}" if dialect.quote else "no quotes",
            rule.encoding or found,
            f"{'with' if dialect.has_header else 'without'} a header",
        ]
    return ", ".join(said)


def _alike(files: Iterable[RawFile], base: Path) -> Iterator[list[RawFile]]:
    """Yield files below a folder, those of one folder in it and one header together."""
    groups: dict[tuple[str, str], list[RawFile]] = {}
    for file in files:
        try:
            head = head_of(file)
        except IngestError:
            head = [file.name]  # what is wrong with it is told when it is opened
        # A line of numbers alone names no columns: its shape counts.
        names = isinstance(head, list) or re.search(r"[^\W\d_]", head)
        shown = repr(head) if names else re.sub(r"[\d.]+", "0", str(head))
        folder = file.path.relative_to(base).as_posix().rpartition("/")[0].partition("/")[0]
        groups.setdefault((folder, shown), []).append(file)
    yield from groups.values()
