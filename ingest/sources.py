"""Finding what a source holds: by its declaration, by a known layout, or from Kaggle.

Belongs here: which files become which table, and what to tell a person when one cannot be had.
Does not belong here: recognising a layout (`ingest.recognise`), reading the files (`ingest.landing`), the download
(`ingest.kaggle`), making the demo world (`ingest.demo`).
"""

from __future__ import annotations

import difflib
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ingest import kaggle
from ingest.agreeing import agreed, opened_head
from ingest.buckets import SCHEME, StoredFile, is_stored, joined, stored_files
from ingest.contracts import CONTRACTS, DATASETS
from ingest.databases import DatabaseTable, with_environment
from ingest.declarations import TableRule, read_declaration
from ingest.errors import IngestError, WrongDeclarationError
from ingest.layouts import MOVIES, known_layouts
from ingest.rawfiles import RawFile, data_members
from ingest.recognise import DATA_ENDINGS, Raw, TableSource, recognise
from ingest.running import RunEach, in_turn
from ingest.staging import stage_of

KAGGLE = "kaggle"
KAGGLE_DESCRIBED = f"Kaggle dataset {kaggle.DATASET}"
INCOMING = "incoming"
"""The source that is no more than what comes through the drop folder."""
DECLARATIONS = ("matinee.yaml", "matinee.yml")
"""Names under which a folder holds its declaration."""
_LEVELS, _HEAD_BYTES = 2, 1 << 20
"""How deep files of a known layout may lie in storage, and how much of each is looked at."""
NUMBERED_BY_ROW = ("customers", "catalogue")
"""Tables whose rows have their number for an id where a file has none."""


@dataclass(frozen=True)
class Source:
    """Where the raw data is.

    Parameters
    ----------
    kind
        Where it comes from.
    description
        The same for a person.
    tables
        What becomes which canonical table, in the order of the contracts.
    """

    kind: Literal["folder", "kaggle", "declaration", "incoming"]
    description: str
    tables: tuple[TableSource, ...]

    @property
    def files(self) -> Mapping[str, RawFile]:
        """The first file of each table that comes from files."""
        return {t.table: file for t in self.tables for file in t.files[:1] if isinstance(file, RawFile)}

    @property
    def datasets(self) -> list[Source]:
        """The source divided into what lands independently of each other."""
        parts = [tuple(t for t in self.tables if t.table in names) for names in DATASETS]
        return [replace(self, tables=part) for part in parts if part]

    @property
    def found(self) -> list[str]:
        """What was found, as lines for a person: ``MovieLens 1M: ratings.dat, movies.dat, users.dat``."""
        names: dict[str, dict[str, None]] = {}
        for table in self.tables:
            listed = [file.name for file in table.files]
            shown = listed if len(listed) <= 3 else [listed[0], f"… {len(listed)} files", listed[-1]]
            names.setdefault(table.layout, {}).update(dict.fromkeys(shown))
        return [f"{layout}: {', '.join(files)}" for layout, files in names.items()]


class PartlyRefusedError(IngestError):
    """Some tables of a source cannot be had; `refused` says why, `rest` is the source without their datasets."""

    def __init__(self, first: IngestError, refused: Mapping[str, IngestError], rest: Source) -> None:
        super().__init__(first.problem, next_step=first.next_step, where=first.where)
        self.refused = refused
        self.rest = rest


def resolve_source(source: str, *, download_dir: Path | None = None, run_each: RunEach = in_turn) -> Source:
    """Find the raw data of a source.

    Parameters
    ----------
    source
        ``kaggle``, or the path of a declaration, of a folder, of an archive, or of a single file; or the address of a
        folder or a declaration in S3-compatible storage (``s3://bucket/folder``).
    download_dir
        Where Kaggle's files are kept; kagglehub's own cache where None. A finished download is not repeated, an
        interrupted one is resumed.
    run_each
        Looks at the files of a table where all of them have to be looked at.

    Returns
    -------
    Source
        The files by table.

    Raises
    ------
    IngestError
        When the source does not exist, cannot be had, holds nothing known, or holds a part of what is of no use
        without the rest; or when its declaration does not fit. A `PartlyRefusedError` holds what can be had.

    Notes
    -----
    A folder with a declaration (``matinee.yaml``) is read by it. Any other is searched for files of a known layout,
    by name, whatever its case, and by what their first line shows; then its zip archives, then one level of
    subfolders.
    """
    if source == KAGGLE:
        return _kaggle_source(download_dir)
    if is_stored(source):
        return _stored_source(source, run_each)
    path = Path(source).expanduser()
    if not path.exists():
        raise IngestError(
            "there is no such file or folder.",
            next_step=f"Give --source a folder that holds the raw files, a declaration, or '{KAGGLE}'.",
            where=str(path),
        )
    try:
        if declaration := declaration_of(path):
            return Source("declaration", str(path), _in_order(_declared(declaration, run_each)))
        return _recognised(path)
    except OSError as error:
        raise IngestError(
            f"it cannot be read ({error.strerror or error}).",
            next_step="Check its permissions, and run again.",
            where=str(path),
        ) from error


def _stored_source(address: str, run_each: RunEach) -> Source:
    """Find what a folder in storage holds, by its declaration, else by the beginnings of its files."""
    base = address if not is_declaration(address) else address.rpartition("/")[0]
    files = {file.name: file for file in stored_files(address, base)}
    if not files:
        raise IngestError(
            "there is no such folder, or no file in it.",
            next_step="Correct the address, and run again.",
            where=address,
        )
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        names = [address.rpartition("/")[2]] if is_declaration(address) else DECLARATIONS
        if declaration := next((files[name] for name in names if name in files), None):
            path = declaration.fetch(work).path.rename(work / declaration.name)
            return Source("declaration", address, _in_order(_declared(path, run_each, base)))
        for name, file in files.items():
            if name.count("/") < _LEVELS and _is_data(Path(name)):
                (work / name).parent.mkdir(exist_ok=True)
                head, _ = file.beginning(work, 1, _HEAD_BYTES)
                head.path.replace(work / name)

        def there(file: Raw) -> Raw:
            if not isinstance(file, RawFile):
                return file
            stored = files[file.path.relative_to(work).as_posix()]
            return replace(stored, raw=replace(file, path=stored.raw.path))

        def placed(source: Source) -> Source:
            tables = [replace(t, files=tuple(map(there, t.files))) for t in source.tables]
            return replace(source, description=address, tables=tuple(tables))

        try:
            return placed(_recognised(work, address))
        except PartlyRefusedError as error:
            raise PartlyRefusedError(error, error.refused, placed(error.rest)) from error


def is_declaration(address: str) -> bool:
    """Whether the name of a file says that it is a declaration."""
    return address.lower().endswith((".yaml", ".yml"))


def declaration_of(path: Path) -> Path | None:
    """Return the declaration that a source is, or that its folder holds; None where there is none."""
    if path.is_dir():
        return next((path / name for name in DECLARATIONS if (path / name).is_file()), None)
    return path if is_declaration(path.name) else None


def _recognised(path: Path, address: str = "") -> Source:
    def hinted(error: IngestError) -> IngestError:
        hint = f"`matinee inspect {path}` tells what its files are, and writes a declaration to start from."
        where = error.where
        if address:
            hint = f"Or put a declaration ({DECLARATIONS[0]}) there."
            where = where.replace(str(path), address)
        return IngestError(error.problem, next_step=f"{error.next_step} {hint}", where=where)

    try:
        tables, unusable = recognise(path)
    except IngestError as error:
        raise hinted(error) from error
    source = Source("folder", str(path), _in_order(tables))
    if not unusable:
        return source
    refused = {table: hinted(error) for table, error in unusable.items()}
    touched = {table for names in DATASETS if refused.keys() & set(names) for table in names}
    rest = replace(source, tables=tuple(table for table in source.tables if table.table not in touched))
    raise PartlyRefusedError(next(iter(refused.values())), refused, rest)


def _in_order(tables: Sequence[TableSource]) -> tuple[TableSource, ...]:
    return tuple(sorted(tables, key=lambda table: list(CONTRACTS).index(table.table)))


def _kaggle_source(download_dir: Path | None) -> Source:
    layout = known_layouts()[MOVIES]
    names = [f"{rule.named[0]}.csv" for rule in layout.tables.values()]
    paths = kaggle.download(names, download_dir)
    tables = [
        TableSource(table, rule, (RawFile(path),), layout.name)
        for (table, rule), path in zip(layout.tables.items(), paths, strict=True)
    ]
    return Source("kaggle", KAGGLE_DESCRIBED, _in_order(tables))


def _declared(path: Path, run_each: RunEach, base: str = "") -> list[TableSource]:
    """Return what a declaration says; `base` is where in storage it lies, if it does."""
    declaration = read_declaration(path)
    tables = []
    for table, said in declaration.tables.items():
        rule = said
        files: tuple[Raw, ...]
        if rule.database:
            address = with_environment(rule.database, f"{path.name}: {table}: database")
            files = (DatabaseTable(address, rule.table, rule.query, path.parent),)
        else:
            found = [file for name in rule.files for file in _files(path, table, name, base)]
            _check(table, rule, found[0])
            files, rule = tuple(found), agreed(table, rule, found, run_each)
        if len(files) > 1 and table in NUMBERED_BY_ROW and not _has_ids(table, rule):
            raise WrongDeclarationError(
                f"{table}: files: {len(files)} files are found, and without a column of ids only one can be meant, "
                "for the number of the row stands in.",
                next_step=f"Name the column of ids ({CONTRACTS[table].key[0]}), or one file, and run again.",
                where=path.name,
            )
        tables.append(TableSource(table, rule, files, declaration.name or path.name))
    return tables


def _has_ids(table: str, rule: TableRule) -> bool:
    return CONTRACTS[table].key[0] in rule.columns


def _check(table: str, rule: TableRule, file: RawFile | StoredFile) -> None:
    """Refuse a declaration that does not fit the first of its files, before anything is read."""
    with opened_head(file, rule, CONTRACTS[table]) as (opened, _, connection):
        try:
            stage_of(CONTRACTS[table], rule, opened.raw, connection, file.name)
        except IngestError as error:
            raise WrongDeclarationError(
                error.problem, next_step=error.next_step, where=error.where
            ) from error


def watched(source: str) -> list[Path]:
    """Return the files of a source that can be watched for changes, by their names alone: none is opened.

    Of a declaration those that it names, of a folder those in it and one level below; of anything else the file itself.
    What lies in storage is not among them.
    """
    path = Path(source).expanduser()
    if not path.exists():
        return []
    declaration = declaration_of(path)
    if declaration is None:
        below = [*path.glob("*"), *path.glob("*/*")] if path.is_dir() else [path]
        return [child for child in below if child.is_file() and _is_data(child)]
    rules = read_declaration(declaration).tables.values()
    names = [name for rule in rules for name in rule.files if not is_stored(name)]
    return [file for name in names for file in _paths(declaration.parent, name)]


def _paths(base: Path, said: str) -> list[Path]:
    """Return the files that a declaration names: by a path, which goes first, or by a pattern."""
    path = base / Path(said).expanduser()
    if path.is_dir():
        return [child for child in sorted(path.rglob("*")) if child.is_file() and _is_data(child)]
    if path.exists():
        return [path]
    pattern = Path(said).expanduser()
    root = Path(pattern.anchor) if pattern.is_absolute() else base
    return [
        child for child in sorted(root.glob(str(pattern).removeprefix(pattern.anchor))) if child.is_file()
    ]


def _files(declaration: Path, table: str, said: str, stored: str) -> list[RawFile | StoredFile]:
    base = declaration.parent
    if is_stored(said) or stored:
        return _stored(declaration, table, joined(stored, said), stored)
    found = _paths(base, said)
    if not found and (member := _member(base / Path(said).expanduser())):
        return [member]
    if not found:
        there = [child.name for child in sorted(base.iterdir()) if child.name != declaration.name]
        near = difflib.get_close_matches(said, there, 1)
        hint = (
            f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(there[:10]) or 'no files'}."
        )
        raise WrongDeclarationError(
            f"{table}: files: there is no file '{said}'.{hint}",
            next_step="Correct the declaration, and run again.",
            where=declaration.name,
        )
    return [file for child in found for file in members_of(child, base)]


def _stored(declaration: Path, table: str, address: str, base: str) -> list[RawFile | StoredFile]:
    found = stored_files(address, base)
    is_named = len(found) == 1 and joined(SCHEME, found[0].place) == address
    if shown := [file for file in found if is_named or "*" in address or _is_data(Path(file.place))]:
        return [*shown]
    raise WrongDeclarationError(
        f"{table}: files: there is no file {address}.",
        next_step="Correct the declaration, and run again.",
        where=declaration.name,
    )


def _member(path: Path) -> RawFile | None:
    """Return the member of an archive that a path names as if the archive were a folder."""
    archive = next((parent for parent in path.parents if parent.is_file()), None)
    if archive is None or not zipfile.is_zipfile(archive):
        return None
    with zipfile.ZipFile(archive) as members:
        name = path.relative_to(archive).as_posix()
        return RawFile(archive, name) if name in members.namelist() else None


def data_files(path: Path) -> list[RawFile]:
    """Return all files of a folder that are no bookkeeping, or the members of an archive, or a file."""
    if path.is_file():
        return members_of(path, path.parent)
    hidden = (".", "_")
    found = [child for child in sorted(path.rglob("*")) if child.is_file()]
    shown = [c for c in found if not any(part.startswith(hidden) for part in c.relative_to(path).parts)]
    return [file for child in shown for file in members_of(child, path)]


def members_of(path: Path, base: Path) -> list[RawFile]:
    """Return a file, or each file of an archive of several, called by its path below `base`."""
    label = path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            found = data_members(archive)
        if len(found) > 1 and not any(member.startswith("xl/") for member in found):
            return [RawFile(path, member) for member in sorted(found)]
    return [RawFile(path, label=label)]


def _is_data(path: Path) -> bool:
    return path.name.lower().endswith(DATA_ENDINGS) and not path.name.startswith((".", "_"))


__all__ = ["KAGGLE", "PartlyRefusedError", "Source", "TableSource", "resolve_source"]
