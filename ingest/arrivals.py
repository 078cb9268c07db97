"""Files that come by themselves: put into a folder by whoever has them, landed once each, and kept account of.

Belongs here: the drop folder, the account of what arrived through it, reading it again, taking it back.
Does not belong here: how one file lands (`ingest.landing`), what a set is made of beside arrivals
(`orchestration.tasks.landing`).

    incoming/<table>/<name>              where files are put; matinee.yaml beside the tables says how they are read
    processed/<day>/<table>/<name>       what landed, by the day (UTC) on which it arrived
    failed/<day>/<table>/<name>          what cannot be used, with <name>.reason.txt beside it
    landing/arrivals.json                the account: which files arrived, in this order, and which were taken back

Whatever is killed at whatever moment, nothing is lost and nothing counts twice: a file lands, is written into the
account, and is moved, in this order. One that is still there and has landed is found in the account and only moved.
"""

from __future__ import annotations

import difflib
import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import chain, count
from pathlib import Path

from ingest import ids
from ingest.agreeing import opened_head
from ingest.contracts import CONTRACTS
from ingest.declarations import read_declaration
from ingest.errors import IngestError
from ingest.forgetting_raw import take_out_listed
from ingest.landing import LandedFile, may_read_more
from ingest.rawfiles import RawFile
from ingest.recognise import TableSource, table_source
from ingest.sources import DECLARATIONS, NUMBERED_BY_ROW, members_of
from ingest.staging import stage_of
from ingest.store import read_slot, slot
from ingest.suppressing import Suppressed, read_suppressed
from ingest.writing import write_whole, writing_to

Land = Callable[[TableSource, RawFile], LandedFile]
"""`ingest.landing.land_file` with the limits of the run."""

_Stamp = tuple[int, int] | None
_ACCOUNT = "arrivals.json"
_UNFINISHED = (".part", ".tmp", ".partial", ".filepart", ".crdownload")
_REASON = ".reason.txt"
_MOST_NAMED = 5
_MOMENT = 1.0
"""Seconds between two looks at a file; one that changed meanwhile is still being written."""


def account_file(landing_dir: Path) -> Path:
    """Return the file of the account."""
    return landing_dir / _ACCOUNT


@dataclass(frozen=True)
class DropFolder:
    """The three folders of a warehouse through which files come."""

    incoming: Path
    processed: Path
    failed: Path

    def make(self) -> None:
        """Make the folders into which files are put, for people to see which there are."""
        for table in CONTRACTS:
            (self.incoming / table).mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class Arrival:
    """A file that came through the drop folder.

    Parameters
    ----------
    table
        The table whose rows it brings.
    name
        Its path below the folder of the table.
    key, sha256
        Of the landed file, as in `LandedFile`.
    contract
        Fingerprint of the contract under which it landed: under another one it is read again.
    arrived_at
        When it arrived (UTC, without zone).
    kept
        Where the raw file lies, below `processed/`.
    """

    table: str
    name: str
    key: str
    sha256: str
    contract: str
    arrived_at: datetime
    kept: str

    @property
    def day(self) -> date:
        """The day (UTC) on which it arrived."""
        return self.arrived_at.date()

    @property
    def shown(self) -> str:
        """What a person calls it."""
        return f"{self.table}/{self.name}"


@dataclass(frozen=True)
class Account:
    """What arrived, in this order, and what was taken back of what a source holds no longer.

    Parameters
    ----------
    arrivals
        Every file that counts.
    removed
        Table and key of files that their source has no more and nobody wants to count any longer.
    """

    arrivals: tuple[Arrival, ...] = ()
    removed: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def read(cls, landing_dir: Path) -> Account:
        """Read the account of a landing folder; it is empty where nothing ever arrived.

        Raises
        ------
        IngestError
            When it cannot be read.
        """
        file = account_file(landing_dir)
        try:
            facts = json.loads(file.read_text(encoding="utf-8"))
            arrivals = (
                Arrival(**{**fact, "arrived_at": datetime.fromisoformat(fact["arrived_at"])})
                for fact in facts["arrivals"]
            )
            return cls(tuple(arrivals), frozenset((table, key) for table, key in facts["removed"]))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise IngestError(
                f"the account of what arrived cannot be read ({error}).",
                next_step="Put it back from a copy, and run again.",
                where=str(file),
            ) from error

    def write(self, landing_dir: Path) -> None:
        """Write the account so that a reader sees the old one or the new one.

        Raises
        ------
        IngestError
            When the folder cannot be written.
        """
        arrivals = [{**asdict(found), "arrived_at": found.arrived_at.isoformat()} for found in self.arrivals]
        text = json.dumps(
            {"arrivals": arrivals, "removed": sorted(self.removed)}, indent=1, ensure_ascii=False
        )
        with writing_to(landing_dir):
            write_whole(account_file(landing_dir), text + "\n")


@dataclass(frozen=True)
class TakenIn:
    """What became of the files that lay in the drop folder.

    Parameters
    ----------
    landed
        Those that landed now, with their arrival.
    failed
        Those that cannot be used, by name, and why.
    said
        What else a person should know, as sentences.
    """

    landed: tuple[tuple[Arrival, LandedFile], ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()


def take_in(drop: DropFolder, landing_dir: Path, declared: Mapping[str, TableSource], land: Land) -> TakenIn:
    """Land every file of the drop folder that is written completely, and move it away.

    Parameters
    ----------
    drop
        Where files lie.
    landing_dir
        The landing folder, with the account.
    declared
        How the source of the run declares its tables: files that come by themselves are mostly written alike.
    land
        Lands one file.

    Raises
    ------
    IngestError
        When the landing folder cannot be written, or the declaration of the drop folder is wrong; not for a file that
        cannot be used: that is moved to `failed/`, and the others go on.
    """
    drop.make()
    sweep = _Sweep(drop, landing_dir, Account.read(landing_dir), rules_of(drop.incoming, declared), land)
    files = [*files_that_wait(drop.incoming)]
    before = {path: _stamp(path) for _, path in files}
    if files:
        time.sleep(_MOMENT)
    for table, path in files:
        sweep.take(table, path, before[path])
    sweep.keep()
    return TakenIn(tuple(sweep.new.values()), sweep.failed, tuple(sweep.said))


@dataclass(frozen=True)
class _Move:
    """A file that has landed, as it was then, and where it goes."""

    path: Path
    stamp: _Stamp
    table: str
    kept: str
    names_listed: bool
    """Whether people are in it who were forgotten."""


@dataclass
class _Sweep:
    """The files of the drop folder on their way."""

    drop: DropFolder
    landing_dir: Path
    account: Account
    rules: Mapping[str, list[TableSource]]
    land: Land
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))
    new: dict[tuple[str, str], tuple[Arrival, LandedFile]] = field(default_factory=dict)
    moves: dict[str, list[_Move]] = field(default_factory=dict)
    """Where files go, below `processed/`, to those that go there: several are of one content."""
    failed: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @cached_property
    def suppressed(self) -> Suppressed:
        return read_suppressed(self.landing_dir)

    def take(self, table: str, path: Path, before: _Stamp) -> None:
        """Land one file; `before` is how it was a moment ago."""
        shown = _printed(_hidden(self.suppressed, path.relative_to(self.drop.incoming), 1))
        landed = reason = None
        if _stamp(path) == before:
            try:
                landed = self.land(*source_of(path, table, self.drop.incoming, self.rules))
            except IngestError as error:
                if error.where == str(self.landing_dir):  # no fault of the file
                    raise
                reason = self.suppressed.renamed_in(str(error))
            except OSError as error:
                if error.filename != str(path):
                    raise
                reason = f"{shown}: the file cannot be read ({error.strerror}). Put it there again, readable."
        if _stamp(path) != before:
            self.said.append(f"{shown} is still being written, and waits for the next run.")
        elif landed is None:
            self.failed[shown] = str(reason)
            self._fail(path, shown, str(reason))
        else:
            self._enter(table, path, before, landed)

    @cached_property
    def _known(self) -> dict[tuple[str, str], Arrival]:
        return {(found.table, found.key): found for found in self.account.arrivals}

    def _enter(self, table: str, path: Path, stamp: _Stamp, landed: LandedFile) -> None:
        place = (table, landed.key)
        name = self.suppressed.renamed(path.relative_to(self.drop.incoming / table).as_posix())
        earlier = self._known.get(place) or (self.new[place][0] if place in self.new else None)
        if earlier is None:
            kept = _free(self.drop.processed, f"{self.now.date()}/{table}/{name}", self.moves)
            fingerprint = CONTRACTS[table].fingerprint
            earlier = Arrival(table, name, landed.key, landed.sha256, fingerprint, self.now, kept)
            self.new[place] = (earlier, landed)
        elif place in self.new or (self.drop.processed / earlier.kept).exists():
            self.said.append(f"{table}/{name} holds what {earlier.name} of {earlier.day} held: nothing new.")
        move = _Move(path, stamp, table, earlier.kept, landed.has_left_out_people)
        self.moves.setdefault(earlier.kept, []).append(move)

    def keep(self) -> None:
        """Write down what landed, then move the files."""
        if self.new:
            # Read in another way than before, the same content takes the place of what it was.
            contents = {(found.table, found.sha256) for found, _ in self.new.values()}
            others = (one for one in self.account.arrivals if (one.table, one.sha256) not in contents)
            came = (found for found, _ in self.new.values())
            replace(self.account, arrivals=(*others, *came)).write(self.landing_dir)
        for move in chain.from_iterable(self.moves.values()):
            if _stamp(move.path) != move.stamp:
                self.said.append(f"{move.path} is another since it landed, and waits for the next run.")
                continue
            try:
                self._put_away(move)
            except OSError as error:
                self.said.append(
                    f"{move.path} has landed, and stays there: it cannot be moved ({error.strerror})."
                )

    def _put_away(self, move: _Move) -> None:
        """Move a file that has landed, without people who were forgotten."""
        to = self.drop.processed / move.kept
        if not move.names_listed:
            _move(move.path, to)
            return
        draft = _copy(move.path, to)
        name = move.path.relative_to(self.drop.incoming / move.table).as_posix()
        file = RawFile(draft, label=name)
        source = table_source(CONTRACTS[move.table], file, self.rules.get(move.table, ()))
        is_there = take_out_listed(file, source, self.suppressed)
        if is_there:
            draft.replace(to)
        else:
            to.unlink(missing_ok=True)
        move.path.unlink()
        how = (
            "it is kept without them" if is_there else "it is not kept, for it cannot be written without them"
        )
        self.said.append(
            f"{move.table}/{self.suppressed.renamed(name)} names people who were forgotten: {how}."
        )

    def _fail(self, path: Path, shown: str, reason: str) -> None:
        """Move a file away that cannot be used, the reason first."""
        try:
            shortly = _hidden(self.suppressed, path.relative_to(self.drop.incoming), 1)
            name = f"{self.now.date()}/{shortly.as_posix()}"
            to = self.drop.failed / _free(self.drop.failed, name)
            to.parent.mkdir(parents=True, exist_ok=True)
            _reason_of(to).write_text(reason + "\n", encoding="utf-8")
            _move(path, to)
        except OSError as error:
            self.said.append(f"{shown} stays there: it cannot be moved ({error.strerror}).")


def put_back_failed(drop: DropFolder, days: Collection[date]) -> None:
    """Put what failed on these days into the drop folder again, but for names that lie there already."""
    for day in days:
        folder = drop.failed / day.isoformat()
        for path in sorted(folder.rglob("*")):
            to = drop.incoming / path.relative_to(folder)
            if (
                path.is_file()
                and not path.name.endswith(_REASON)
                and to.parent != drop.incoming
                and not to.exists()
            ):
                _move(path, to)
                _reason_of(path).unlink(missing_ok=True)


def files_that_failed(failed: Path) -> list[str]:
    """Return the files that could not be used and still lie where they were put then, those of the last day last."""
    files = sorted(
        path for path in failed.glob("*/*/*") if path.is_file() and not path.name.endswith(_REASON)
    )
    return [_printed(path.relative_to(failed)) for path in files]


def arrived(
    drop: DropFolder,
    landing_dir: Path,
    declared: Mapping[str, TableSource],
    land: Land,
    again: Collection[date] = (),
    *,
    today: date | None = None,
) -> tuple[list[LandedFile], list[str]]:
    """Return the landed files of all arrivals in their order, and what a person should know of them.

    What arrived on the days of `again`, what landed under an earlier contract, what is damaged, and what held times of
    a future that may have come by `today` (UTC; the day it is) is read again from `processed/`.

    Raises
    ------
    IngestError
        When neither what landed nor the raw file of an arrival can be read.
    """
    account, last_id = Account.read(landing_dir), ids.last_number(landing_dir)
    rules = rules_of(drop.incoming, declared)
    files, said, now = [], [], []
    for arrival in account.arrivals:
        place = slot(landing_dir, arrival.table, arrival.key)
        landed = read_slot(place, last_id)
        is_old = arrival.contract != CONTRACTS[arrival.table].fingerprint
        must = is_old or arrival.day in again
        if landed is None or must or may_read_more(landed, today or datetime.now(UTC).date()):
            landed, why = _read_again(arrival, drop.processed, rules, land, landed)
            said += [why] if why and must else []
            arrival = replace(arrival, key=landed.key, contract=CONTRACTS[arrival.table].fingerprint)  # noqa: PLW2901
        now.append(arrival)
        files.append(replace(landed, source=arrival.name))
    if tuple(now) != account.arrivals:
        replace(account, arrivals=tuple(now)).write(landing_dir)
    return files, said


def take_back(landing_dir: Path, table: str, name: str, others: Collection[str] = ()) -> Arrival:
    """Take an arrival out of the account: no set that is made from now on holds it.

    Parameters
    ----------
    table, name
        Its table, and the name under which it arrived, or lies in `processed/`, or its path there.
    others
        What else the caller could take out of this table, for the message.

    Raises
    ------
    IngestError
        When there is no such arrival, or several have the name.
    """
    account = Account.read(landing_dir)
    own = [found for found in account.arrivals if found.table == table]
    found = [one for one in own if name == one.name or _lies_at(one, name)]
    if len(found) == 1:
        rest = tuple(one for one in account.arrivals if one is not found[0])
        replace(account, arrivals=rest).write(landing_dir)
        return found[0]
    if found:
        raise IngestError(
            f"{len(found)} files of {table} arrived under this name.",
            next_step=f"Say which: {', '.join(one.kept for one in found)}.",
            where=name,
        )
    there = [*(one.kept for one in own or account.arrivals), *others]
    near = difflib.get_close_matches(name, there, _MOST_NAMED, cutoff=0)
    count = "There are" if len(near) == len(there) else f"Of {len(there):,} files the nearest are"
    raise IngestError(
        f"no such file of {table} has arrived.",
        next_step=f"{count}: {', '.join(near) or 'none'}.",
        where=name,
    )


def _lies_at(arrival: Arrival, said: str) -> bool:
    """Whether the raw file of an arrival lies at a path, of which as much as is said counts from its end."""
    return f"/{said}".endswith(f"/{arrival.kept}") or f"/{arrival.kept}".endswith(f"/{said}")


def forget_names(drop: DropFolder, landing_dir: Path, suppressed: Suppressed) -> int:
    """Put hashes in the place of ids in names of files that came, and in the account; return how many files had one.

    The files first: after a kill between the two the account leads to where they lie when this is done again.
    """
    found = 0
    for folder, ours in ((drop.incoming, 1), (drop.processed, 2), (drop.failed, 2)):
        for path in sorted(folder.rglob("*"), reverse=True):  # what lies in a folder before the folder
            to = folder / _hidden(suppressed, path.relative_to(folder), ours)
            if path.is_dir() and to != path and not any(path.iterdir()):
                path.rmdir()
            if not path.is_file() or folder == drop.incoming:  # a file that did not land yet is as it came
                continue
            if path.name.endswith(_REASON):
                said = path.read_text(encoding="utf-8")
                if (hidden := suppressed.renamed_in(said)) != said:
                    write_whole(path, hidden)
            if to != path:
                found += 1
                _move(path, to)
    account = Account.read(landing_dir)
    renamed = tuple(
        replace(
            one,
            name=suppressed.renamed(one.name),
            kept=_hidden(suppressed, Path(one.kept), 2).as_posix(),
        )
        for one in account.arrivals
    )
    if renamed != account.arrivals:
        replace(account, arrivals=renamed).write(landing_dir)
    return found


def _hidden(suppressed: Suppressed, path: Path, fixed: int) -> Path:
    """Return a path with hashes in the place of ids, but for the folders that it begins with, which are ours."""
    ours, name = path.parts[: min(fixed, len(path.parts) - 1)], path.parts[min(fixed, len(path.parts) - 1) :]
    return Path(*ours, suppressed.renamed("/".join(name)))


def take_in_again(landing_dir: Path, there: Collection[tuple[str, str]]) -> None:
    """Let files that were taken out and are there again (table and key) stay when their source loses them once more."""
    account = Account.read(landing_dir)
    if account.removed & set(there):
        replace(account, removed=account.removed - set(there)).write(landing_dir)


def take_out(landing_dir: Path, table: str, key: str) -> None:
    """Say that a file which its source has no more is not to count any longer."""
    account = Account.read(landing_dir)
    replace(account, removed=account.removed | {(table, key)}).write(landing_dir)


# ---------------------------------------------------------------------- which files there are


def is_unfinished(path: Path) -> bool:
    """Whether the path of a file below the drop folder says that it is hidden or still being written."""
    return any(part.startswith(".") for part in path.parts) or path.name.lower().endswith(_UNFINISHED)


def files_that_wait(incoming: Path) -> Iterator[tuple[str, Path]]:
    """Give table and path of every file of the drop folder, the one that was written first before the others."""
    found = {
        path: stamp
        for path in incoming.rglob("*")
        if path.is_file()
        and not is_unfinished(path.relative_to(incoming))
        and not (path.parent == incoming and path.name in DECLARATIONS)
        and (stamp := _stamp(path))
    }
    for path in sorted(found, key=lambda path: (found[path][1], path.as_posix())):
        table, *below = path.relative_to(incoming).parts
        yield (table if below else ""), path


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def rules_of(incoming: Path, declared: Mapping[str, TableSource]) -> dict[str, list[TableSource]]:
    """Return how files of each table are declared to be read: for the drop folder itself first, then for the source."""
    rules: dict[str, list[TableSource]] = {}
    for path in (incoming / name for name in DECLARATIONS):
        if path.is_file():
            own = read_declaration(path, places_needed=False)
            for table, rule in own.tables.items():
                rules.setdefault(table, []).append(TableSource(table, rule, (), own.name or path.name))
    for table, source in declared.items():
        rules.setdefault(table, []).append(source)
    return rules


# ---------------------------------------------------------------------- what becomes of a file


def source_of(
    path: Path, table: str, incoming: Path, rules: Mapping[str, list[TableSource]]
) -> tuple[TableSource, RawFile]:
    """Return how a file of the drop folder is read, by its place and its first line.

    Raises
    ------
    IngestError
        When it cannot be one of its table.
    """
    if table not in CONTRACTS:
        near = difflib.get_close_matches(table, list(CONTRACTS), 1)
        raise IngestError(
            f"there is no table '{table}'." if table else "it lies in no folder of a table.",
            next_step=f"Put it into incoming/{near[0] if near else '<table>'}/"
            f"{'' if near else '; the tables are ' + ', '.join(CONTRACTS)}.",
            where=_printed(Path(path.name)),
        )
    if (name := _printed(path)) != str(path):
        raise IngestError(
            "its name is no text in UTF-8.",
            next_step="Rename it, and put it there again.",
            where=Path(name).name,
        )
    files = members_of(path, incoming / table)
    if len(files) > 1:
        raise IngestError(
            f"the archive holds {len(files)} files.",
            next_step="Put its files there one by one.",
            where=path.name,
        )
    (file,) = files
    source = table_source(CONTRACTS[table], file, rules.get(table, ()))
    if table in NUMBERED_BY_ROW:
        _refuse_without_ids(source, file)
    return source, file


def _refuse_without_ids(source: TableSource, file: RawFile) -> None:
    contract = CONTRACTS[source.table]
    with opened_head(file, source.rule, contract) as (opened, _, connection):
        bound = stage_of(contract, source.rule, opened.raw, connection, file.name).bound
    if contract.key[0] not in {b.column.name for b in bound}:
        raise IngestError(
            f"there is no column {contract.key[0]}. Where a file has no ids the number of the row stands in, and in a "
            "file that comes by itself that would be somebody else's.",
            next_step=f"Add the column {contract.key[0]}, and put the file there again.",
            where=file.name,
        )


def _read_again(
    arrival: Arrival,
    processed: Path,
    rules: Mapping[str, list[TableSource]],
    land: Land,
    landed: LandedFile | None,
) -> tuple[LandedFile, str]:
    """Land an arrival anew from its raw file; where that cannot be, return what has landed of it, and why."""
    path = processed / arrival.kept
    try:
        file = replace(members_of(path, path.parent)[0], label=arrival.name)
        return land(table_source(CONTRACTS[arrival.table], file, rules.get(arrival.table, ())), file), ""
    except (IngestError, OSError) as error:
        problem = str(error) if isinstance(error, IngestError) else f"it lies no longer in {path}."
        if landed is not None:
            return landed, f"{arrival.shown} stays as it was read on {landed.landed_at:%Y-%m-%d}: {problem}"
        remove = f"`matinee remove {arrival.table} {arrival.name}`"
        raise IngestError(
            f"what landed of it on {arrival.day} is gone or damaged, and it cannot be read again: {problem}",
            next_step=f"Put it into incoming/{arrival.table}/ again, or {remove}, and run again.",
            where=arrival.shown,
        ) from error


def _reason_of(path: Path) -> Path:
    return path.with_name(path.name + _REASON)


def _free(folder: Path, name: str, taken: Collection[str] = ()) -> str:
    """Return a name below a folder that no other file has: the wanted one, or one with a number."""
    stem, dot, endings = Path(name).name.partition(".")
    numbered = (Path(name).with_name(f"{stem}-{number}{dot}{endings}").as_posix() for number in count(2))
    return next(
        free for free in chain([name], numbered) if free not in taken and not (folder / free).exists()
    )


def _move(path: Path, to: Path) -> None:
    """Move a file, also to another disk, so that at no moment half of it bears the name; of a link what it leads to."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        if not path.is_symlink():
            path.replace(to)
            return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    _copy(path, to).replace(to)
    path.unlink()


def _copy(path: Path, to: Path) -> Path:
    """Copy a file beside where it goes, under a name by which `matinee forget` knows what a kill left half done."""
    to.parent.mkdir(parents=True, exist_ok=True)
    draft = to.with_name(f".forget-{os.getpid()}")
    shutil.copy2(path, draft)
    return draft


def _printed(path: Path) -> str:
    """Return a path as text that can be written down: bytes that are no text as escapes."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()
