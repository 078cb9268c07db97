"""The list of people who were forgotten, so that their rows do not land again.

Belongs here: the list, and telling whether an id is on it. Does not belong here: removing what has landed
(`ingest.forgetting`).

The list holds no id: it holds hashes, with a salt that is made once. Who has the list and a guess can check the guess;
nobody can read ids off it. A customer of a file without ids is a row of that file, and kept out of that file alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

from ingest.errors import IngestError
from ingest.sql import text_literal
from ingest.writing import write_whole

Kind = Literal["user", "customer"]
PEOPLE: dict[str, tuple[Kind, str]] = {
    **dict.fromkeys(("ratings", "users", "views"), ("user", "user_id")),
    "customers": ("customer", "customer_id"),
}
"""Landing tables with rows of people: which kind, and the column of their ids. The two kinds are never joined."""
KIND_OF: dict[str, Kind] = {column: kind for kind, column in PEOPLE.values()}
"""The kind of people whom a column of ids names."""
LEFT_OUT = "of people who were forgotten left out."
"""How the note on a file ends that some were left out of."""
REMOVED = "removed: a person was forgotten"
"""What stands in the place of a raw line that named somebody."""
_CELLS = (re.compile(r"[,;\t|]|::"), re.compile(r"[\s,;|:=(){}\[\]\"']+"))
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
A_PERSON = (
    r"(?i:user|account|member|profile|viewer|subscriber|customer|person|client|uid)s?(?i:[_-]?id)?[_=.-]?"
)
"""What has to stand before a number in the name of a file for it to be somebody: else each `part-7.csv` would be."""
_RUN = re.compile(r"[^\W\d_]+|\d+")
_HASH_DIGITS = 12


@dataclass(frozen=True)
class Entry:
    """One hash of the list: of whom, since when, and whether something of them may still be here."""

    kind: Kind
    hash: str
    day: str
    pending: bool = True


@dataclass(frozen=True)
class Suppressed:
    """The list as it was read.

    Parameters
    ----------
    salt
        32 hex digits; empty where nobody was ever forgotten.
    entries
        One for each person, and for each row of a file without ids.
    """

    salt: str = ""
    entries: tuple[Entry, ...] = field(default=())

    def hash(self, kind: Kind, written: str) -> str:
        """Return the hash of an id as the source writes it."""
        return hashlib.sha256(f"{self.salt}{kind} {written}".encode()).hexdigest()

    def hash_of_row(self, sha256: str, row: int | str) -> str:
        """Return the hash of a customer who has no id and is a row of a raw file."""
        return self.hash("customer", f"{row} of {sha256}")

    def hash_sql(self, kind: Kind, written: str) -> str:
        """Return the SQL expression of the same hash; `written` is that of the id as text."""
        return f"sha256({text_literal(f'{self.salt}{kind} ')} || {written})"

    def of(self, kind: Kind) -> Collection[str]:
        """Return the hashes of one kind of people."""
        return self._hashes.get(kind, frozenset())

    def mentions(self, kind: Kind, text: str) -> bool:
        """Whether a cell of a raw line, however it is divided, is an id on the list."""
        parts = {part for split in _CELLS for part in split.split(text)} | _quoted(text)
        return self._has(kind, parts | {part.strip().strip("\"'") for part in parts})

    def quotes(self, kind: Kind, text: str) -> bool:
        """Whether a sentence quotes an id on the list."""
        return self._has(kind, _quoted(text))

    def _has(self, kind: Kind, parts: set[str]) -> bool:
        listed = self.of(kind)
        return any(self.hash(kind, as_landed(kind, part)) in listed for part in parts if part)

    def redacted(self, table: str, rejects: Iterable[tuple]) -> Iterator[tuple]:
        """Yield rejects (see `ingest.rejecting`) without what names somebody on the list: files, reasons and texts."""
        if not self.entries:
            yield from rejects
            return
        kind, _ = PEOPLE.get(table, (None, ""))
        shown: dict[str, str] = {}
        for source, name, line, reason, text, is_quirk in rejects:
            if source not in shown:
                shown[source] = self.renamed(source)
            said, raw = reason, text
            if kind is not None and self.of(kind):
                said = REMOVED if self.quotes(kind, reason) else reason
                raw = REMOVED if self.mentions(kind, text) else text
            yield shown[source], name, line, said, raw, is_quirk

    def renamed(self, name: str) -> str:
        """Return the name of a file with the beginning of its hash in the place of each id on the list.

        An id stands apart from letters and digits beside it; a number behind a word for a person.
        """
        runs = [run.span() for run in _RUN.finditer(name)] if self.entries else []
        parts = [(start, end) for at, (start, _) in enumerate(runs) for _, end in runs[at:]]
        for start, end in sorted(parts, key=lambda part: part[0] - part[1]):
            before, part, after = name[:start], name[start:end], name[end:]
            if after[:1].isalnum() or not (
                re.search(f"{A_PERSON}$", before) if part.isdecimal() else not before[-1:].isalnum()
            ):
                continue
            for kind in dict.fromkeys(entry.kind for entry in self.entries):
                if self._has(kind, {part}):
                    hidden = self.hash(kind, as_landed(kind, part))[:_HASH_DIGITS]
                    return f"{self.renamed(before)}{hidden}{self.renamed(after)}"
        return name

    def renamed_in(self, text: str) -> str:
        """Return a sentence with the names of files in it as `renamed` has them."""
        return re.sub(r"\S+", lambda word: self.renamed(word[0]), text) if self.entries else text

    @property
    def is_pending(self) -> bool:
        """Whether somebody on the list may still be in the warehouse."""
        return any(entry.pending for entry in self.entries)

    @cached_property
    def _hashes(self) -> dict[str, frozenset[str]]:
        kinds = {entry.kind for entry in self.entries}
        return {kind: frozenset(e.hash for e in self.entries if e.kind == kind) for kind in kinds}


def as_landed(kind: Kind, written: str) -> str:
    """Return an id as landing has it: the user ``123.0``, as tables of fractions write it, is 123."""
    return re.sub(r"^(\d+)\.0$", r"\1", written) if kind == "user" else written


def list_of(landing_dir: Path) -> Path:
    """Return the file of the list."""
    return landing_dir / "suppressed.json"


def read_suppressed(landing_dir: Path) -> Suppressed:
    """Return the list; an empty one where nobody was ever forgotten.

    Raises
    ------
    IngestError
        When the file is damaged: without it people would come back.
    """
    path = list_of(landing_dir)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Suppressed(found["salt"], tuple(Entry(**entry) for entry in found["entries"]))
    except FileNotFoundError:
        return Suppressed()
    except (ValueError, LookupError, TypeError) as error:
        raise IngestError(
            "the list of people who were forgotten is damaged.",
            next_step="Put it back from a copy; without it they would land again.",
            where=str(path),
        ) from error


def suppress(
    landing_dir: Path, people: Sequence[tuple[Kind, str]], rows: Sequence[tuple[str, str]], day: date
) -> Suppressed:
    """Put people on the list and return it; who is on it already is pending again.

    Parameters
    ----------
    landing_dir
        The landing folder; made where it does not exist.
    people
        Kind and id as the source writes it.
    rows
        Hash of a raw file and number of a row, of customers who may have no id.
    day
        Since when, of those who are new.
    """
    now = read_suppressed(landing_dir)
    now = now if now.salt else replace(now, salt=secrets.token_hex(16))
    hashes = [(kind, now.hash(kind, as_landed(kind, written))) for kind, written in people]
    hashes += [("customer", now.hash_of_row(sha256, row)) for sha256, row in rows]
    since = {(entry.kind, entry.hash): entry.day for entry in now.entries}
    fresh = {key: Entry(*key, since.get(key, day.isoformat())) for key in hashes}
    others = [entry for entry in now.entries if (entry.kind, entry.hash) not in fresh]
    return _write(landing_dir, replace(now, entries=(*others, *fresh.values())))


def settle(landing_dir: Path) -> None:
    """Say that nothing is left of the people on the list."""
    now = read_suppressed(landing_dir)
    _write(landing_dir, replace(now, entries=tuple(replace(entry, pending=False) for entry in now.entries)))


def _write(landing_dir: Path, suppressed: Suppressed) -> Suppressed:
    facts = {"salt": suppressed.salt, "entries": [asdict(entry) for entry in suppressed.entries]}
    write_whole(list_of(landing_dir), json.dumps(facts, indent=1))
    return suppressed


def _quoted(text: str) -> set[str]:
    return {part for pair in _QUOTED.findall(text) for part in pair}
