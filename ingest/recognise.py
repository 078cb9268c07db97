"""Which known layout the files of a folder have: their names are a hint, what their first line shows is the proof.

Belongs here: looking for files, looking at their first lines, choosing the layouts that explain most of them.
Does not belong here: the layouts themselves (`ingest/layouts`).
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.binding import missing_columns, place_of, refused_header
from ingest.buckets import StoredFile
from ingest.contracts import CONTRACTS, Contract
from ingest.databases import DatabaseTable
from ingest.declarations import Declaration, TableRule
from ingest.errors import IngestError, shorten
from ingest.layouts import OWN, known_layouts
from ingest.rawfiles import Format, RawFile, data_members, format_of, open_packed
from ingest.readers import dialect_of, sep_of

_PLAIN = (".csv", ".parquet", ".jsonl", ".ndjson", ".json", ".tsv", ".txt", ".dat")
_PACKED = (".gz", ".zip", ".zst")
# Within one folder the first ending that is found wins.
_ENDINGS = tuple(
    dict.fromkeys(
        [
            *(".csv", ".parquet", ".csv.gz", ".csv.zip", ".zip", ".parquet.gz", ".parquet.zip"),
            *(plain + packed for plain in _PLAIN for packed in ("", *_PACKED)),
        ]
    )
)
_ENDINGS_ALLOWED = "Each may end in .csv, .csv.gz, .zip, .jsonl or .parquet."
DATA_ENDINGS = (*_PLAIN, *_PACKED)
_HEAD_BYTES = 1 << 20
_FAR = 0.5
"""Share of a layout's columns without which a file is not taken for a failed copy of it."""
_MOST_SHOWN = 5

Raw = RawFile | DatabaseTable | StoredFile
"""What becomes a table."""

Head = str | list[str]
"""The line that names columns, or the names."""


@dataclass(frozen=True)
class TableSource:
    """What becomes one canonical table.

    Parameters
    ----------
    table
        Name of the canonical table.
    rule
        How it is read.
    files
        Its files, here or in storage, or the table of a database.
    layout
        Name of the layout or declaration that says so.
    """

    table: str
    rule: TableRule
    files: tuple[Raw, ...]
    layout: str


@dataclass
class _Place:
    """Files that lie together, by their name in lower case."""

    path: Path
    files: dict[str, RawFile]
    depth: int = 0


@dataclass
class _Match:
    """What a layout finds in a folder.

    Parameters
    ----------
    layout
        The layout.
    proven
        Its tables whose file shows to be one.
    refused
        Why a file that has the name of a table's is none, and which share of the columns it lacks.
    """

    layout: Declaration
    proven: dict[str, RawFile] = field(default_factory=dict)
    refused: dict[str, tuple[RawFile, IngestError, float]] = field(default_factory=dict)

    def offers(self, taken: Mapping[str, object]) -> dict[str, RawFile]:
        """Return the tables it gives beside those taken; none where it lacks what they are of no use without."""
        offered = {table: file for table, file in self.proven.items() if table not in taken}
        return offered if all(table in offered for table in self.layout.together) else {}


def recognise(path: Path) -> tuple[list[TableSource], dict[str, IngestError]]:
    """Return what the known layouts make of a folder, an archive or a file, and why tables cannot be had.

    A table cannot be had when the file of its name is none, or is missing while others need it.

    Raises
    ------
    IngestError
        When nothing is known.
    """
    places = _places(path)
    heads: dict[RawFile, Head | IngestError] = {}
    matches = [_match(layout, places, heads, path) for layout in known_layouts().values()]
    chosen: dict[str, TableSource] = {}
    while offers := [(match.offers(chosen), match) for match in matches if match.offers(chosen)]:
        tables, match = max(offers, key=lambda offer: (len(offer[0]), offer[1].layout.rank))
        for table, file in tables.items():
            chosen[table] = TableSource(table, match.layout.tables[table], (file,), match.layout.name)
    refused = _partial(path, matches, chosen) or _unlike_files(matches, chosen)
    if not chosen and not refused:
        raise _nothing_known(path, places)
    return list(chosen.values()), refused


def table_source(contract: Contract, file: Raw, declared: Sequence[TableSource] = ()) -> TableSource:
    """Return how a file of a table is read: as declared, else by the known layout that it shows.

    What a declaration says of some columns goes with a layout that has the others. Where the file fits none, it is read
    as declared, by the layout that it is close to, or as a table of Matinee's own, which says what is missing.
    """
    layouts = sorted(known_layouts().values(), key=lambda layout: -layout.rank)
    shown = [
        TableSource(contract.table, layout.tables[contract.table], (), layout.name)
        for layout in layouts
        if contract.table in layout.tables
    ]
    known = [*declared, *shown]
    if not isinstance(file, RawFile):
        best = known[-1]
    else:
        try:
            head = head_of(file)
            together = [_together(contract, own, layout, head) for own in declared for layout in shown]
            best = min(
                [*declared, *together, *shown],
                key=lambda table: (
                    len(_missing(contract, table.rule, head)),
                    0 if table in shown else len(_absent(contract, table.rule, head)),
                ),
            )
            if _missing(contract, best.rule, head):
                own = known[: len(declared)] or known
                best = min(own, key=lambda table: _lack(contract, table.rule, head))
                if not declared and not _lack(contract, best.rule, head) < _FAR:
                    best = known[-1]
        except (IngestError, OSError):
            best = known[0]  # landing says what is wrong with the file
    return replace(best, files=(file,))


# ---------------------------------------------------------------------- where files are


def _places(path: Path) -> list[_Place]:
    """Return a folder, its archives, its subfolders and their archives; or an archive, or a file."""
    if path.is_file():
        archive = _in_archive(path, 0) if zipfile.is_zipfile(path) else None
        alone = _Place(path.parent, {path.name.lower(): RawFile(path)})
        return [archive] if archive and archive.files else [alone]
    places = _in_folder(path, 0)
    for folder in sorted(child for child in path.iterdir() if child.is_dir() and child.name[0] not in "._"):
        places += _in_folder(folder, 1)
    return places


def _in_folder(folder: Path, depth: int) -> list[_Place]:
    paths = sorted(child for child in folder.iterdir() if child.is_file())
    files: dict[str, RawFile] = {}
    for path in paths:
        files.setdefault(path.name.lower(), RawFile(path))
    archives = [_in_archive(path, depth) for path in paths if path.suffix.lower() == ".zip"]
    return [_Place(folder, files, depth), *archives]


def _in_archive(path: Path, depth: int) -> _Place:
    try:
        with zipfile.ZipFile(path) as archive:
            members = data_members(archive)
    except zipfile.BadZipFile as error:
        raise IngestError(
            "the archive is cut off or damaged.",
            next_step="Download it again, and run again.",
            where=str(path),
        ) from error
    files: dict[str, RawFile] = {}
    for member in sorted(members, key=lambda name: (name.count("/"), name)):
        files.setdefault(member.rsplit("/", 1)[-1].lower(), RawFile(path, member))
    return _Place(path.parent, files, depth)


def _named(rule: TableRule, place: _Place) -> RawFile | None:
    names = [
        name
        for stem in rule.named
        for name in (stem.lower(), *(stem.lower() + ending for ending in _ENDINGS))
    ]
    return next((place.files[name] for name in names if name in place.files), None)


# ---------------------------------------------------------------------- what files are


def _match(
    layout: Declaration,
    places: Sequence[_Place],
    heads: dict[RawFile, Head | IngestError],
    path: Path,
) -> _Match:
    match = _Match(layout)
    for table, rule in layout.tables.items():
        found: tuple[RawFile, _Place] | None = None
        for place in places:
            file = _named(rule, place)
            if file is None or (found and place.depth == found[1].depth and place.path == found[1].path):
                continue
            if found:
                if place.depth and found[1].depth:
                    raise IngestError(
                        f"two folders hold a file for '{table}': {found[1].path.name} and {place.path.name}.",
                        next_step="Point --source at the folder you mean.",
                        where=str(path),
                    )
                continue
            if file not in heads:
                try:
                    heads[file] = head_of(file)
                except IngestError as error:
                    heads[file] = error
            head = heads[file]
            if isinstance(head, IngestError):
                match.refused.setdefault(table, (file, head, 0.0))
            elif lack := _lack(CONTRACTS[table], rule, head):
                fault = _unlike(CONTRACTS[table], layout, file, head)
                match.refused.setdefault(table, (file, fault, lack))
            else:
                found = (file, place)
                match.proven[table] = file
    return match


def head_of(file: RawFile) -> Head:
    """Return the line of a file that names its columns; of Parquet and JSON the names."""
    kind = format_of(file.path, name=file.name)
    if kind is Format.PARQUET:
        try:
            return list(pq.read_schema(file.path).names)
        except pa.ArrowException as error:
            raise IngestError(
                "the file is cut off or damaged.",
                next_step="Download it again, and run again.",
                where=file.name,
            ) from error
    with open_packed(file) if kind.is_packed else file.path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = head.decode(encoding, errors="replace")
    if kind in (Format.JSON_LINES, Format.JSON_LIST):
        return _members_of(text)
    line, below = [*text.split("\n", 2), ""][:2]
    sep = sep_of(line)
    return (below.replace(sep, ",") if sep else line).rstrip("\r")


def _members_of(text: str) -> list[str]:
    try:
        row, _ = json.JSONDecoder().raw_decode(text.lstrip().removeprefix("[").lstrip())
    except ValueError:
        return []
    return list(row) if isinstance(row, dict) else []


def _unlike(contract: Contract, layout: Declaration, file: RawFile, head: Head) -> IngestError:
    """Return why a file is not what a layout says; of one that is not close to it, what the table needs."""
    rule, called = layout.tables[contract.table], layout.name
    if not _lack(contract, rule, head) < _FAR:
        own = known_layouts()[OWN].tables[contract.table]
        rule, called = (own, "") if _missing(contract, own, head) else (rule, called)
    return refused_header(
        contract, rule, _header(contract, rule, head), _missing(contract, rule, head), file.name, called
    )


def _together(contract: Contract, own: TableSource, layout: TableSource, head: Head) -> TableSource:
    """Return a declaration with a layout below it, whose word counts for a column that the file has not as declared."""
    names = _header(contract, layout.rule, head)
    absent = {
        column
        for column in _absent(contract, own.rule, head)
        if any(place_of(name, names) for name in (*_said(layout.rule, column), column))
    }
    said = {column: rule for column, rule in own.rule.columns.items() if column not in absent}
    settings = {name: getattr(own.rule, name) for name in own.rule.model_fields_set - {"files", "columns"}}
    return replace(
        own, rule=layout.rule.model_copy(update={**settings, "columns": {**layout.rule.columns, **said}})
    )


def _said(rule: TableRule, column: str) -> tuple[str, ...]:
    return rule.columns[column].value if column in rule.columns else ()


def _absent(contract: Contract, rule: TableRule, head: Head) -> list[str]:
    """Return the declared columns whose names a file has not; of an expression nobody knows."""
    names = _header(contract, rule, head)
    return [
        column
        for column in rule.columns
        if all(name.isidentifier() and not place_of(name, names) for name in _said(rule, column))
    ]


def _lack(contract: Contract, rule: TableRule, head: Head) -> float:
    """Return which share of the columns that a layout needs a file has not."""
    return len(_missing(contract, rule, head)) / len(_missing(contract, rule, []))


def _missing(contract: Contract, rule: TableRule, head: Head) -> list[str]:
    """Return the columns that a layout needs and a file has not; of a file without header all or none."""
    if rule.first_line:
        is_like = isinstance(head, str) and re.fullmatch(rule.first_line, head)
        return [] if is_like else list(rule.names)
    names = _header(contract, rule, head)
    lacking = [name for name in rule.proof if not place_of(name, names)]
    return list(dict.fromkeys([*missing_columns(contract, rule, names), *lacking]))


def _header(contract: Contract, rule: TableRule, head: Head) -> list[str]:
    if isinstance(head, list):
        return head
    return [head] if rule.first_line else dialect_of(head, rule, contract)[1]


# ---------------------------------------------------------------------- what is missing


def _partial(
    path: Path, matches: Sequence[_Match], chosen: Mapping[str, TableSource]
) -> dict[str, IngestError]:
    """Return the tables that files of a layout are of no use without, where nothing else takes these files."""
    used = {file for table in chosen.values() for file in table.files}
    partial = [
        match
        for match in matches
        if match.proven
        and not match.offers(chosen)
        and not used & set(match.proven.values())
        and not all(table in chosen for table in match.proven)
    ]
    if not partial:
        return {}
    match = max(partial, key=lambda match: (len(match.proven), match.layout.rank))
    missing = [table for table in match.layout.together if table not in match.proven]
    if unlike := {table: match.refused[table][1] for table in missing if table in match.refused}:
        return unlike
    have = ", ".join(file.name for file in [*match.proven.values(), *(used - set(match.proven.values()))])
    absent = IngestError(
        f"expected {_wanted_names(match.layout, missing)}; found {have}.",
        next_step=f"{_ENDINGS_ALLOWED} These files are read as {match.layout.name}, of which one is of no use without "
        "the other. Add what is missing, or point --source at the folder that holds the files, and run again.",
        where=str(path),
    )
    return dict.fromkeys(missing, absent)


def _unlike_files(matches: Sequence[_Match], chosen: Mapping[str, TableSource]) -> dict[str, IngestError]:
    """Return the tables that nothing else gives and whose file is not what its name says."""
    used = {file for table in chosen.values() for file in table.files}
    used |= {file for match in matches for file in match.proven.values()}
    faults = [
        (lack >= _FAR, -len(match.proven), lack, -match.layout.rank, table, fault)
        for match in matches
        for table, (file, fault, lack) in match.refused.items()
        if table not in chosen and file not in used and table not in match.proven
    ]
    refused: dict[str, IngestError] = {}
    for *_, table, fault in sorted(faults, key=lambda entry: entry[:4]):
        refused.setdefault(table, fault)
    return refused


def _nothing_known(path: Path, places: Sequence[_Place]) -> IngestError:
    files = [file for place in places for name, file in place.files.items() if name.endswith(DATA_ENDINGS)]
    own, there, like = known_layouts()[OWN].tables["ratings"], [], []
    for file in files[:_MOST_SHOWN]:
        try:
            head = head_of(file)
        except (IngestError, OSError):
            there.append(file.name)
            continue
        there.append(f"{file.name} ({shorten(', '.join(_header(CONTRACTS['ratings'], own, head)), 100)})")
        like.append(_like(file, head))
    needs = [f"{name} ({', '.join(c.name for c in of.required_columns)})" for name, of in CONTRACTS.items()]
    return IngestError(
        f"found none of the files we know by name. There are: {', '.join(there) or 'no files'}.",
        next_step=f"{''.join(like)}Point --source at the folder that holds the files, say in a declaration "
        "(matinee.yaml) what yours hold, or call files and columns as the tables that you have need them: "
        f"{', '.join(needs)}. Then run again.",
        where=str(path),
    )


def _like(file: RawFile, head: Head) -> str:
    """Return of which layout a file is, but for its name, as a sentence; empty where it shows none."""
    found = [
        (needed, layout.rank, f"{file.name} looks like {_wanted_names(layout, [table])} of {layout.name}. ")
        for layout in known_layouts().values()
        for table, rule in layout.tables.items()
        if (needed := len(_missing(CONTRACTS[table], rule, []))) > 2  # fewer are chance
        and not _missing(CONTRACTS[table], rule, head)
    ]
    return max(found)[-1] if found else ""


def _wanted_names(layout: Declaration, tables: Sequence[str]) -> str:
    def name(stem: str) -> str:
        return stem if "." in stem else f"{stem}.csv"

    return ", ".join(
        f"{' or '.join(map(name, layout.tables[table].named))} for '{table}'" for table in tables
    )
