"""The error that ingest raises for a person to read.

Belongs here: the error and how its sentence is put together.
Does not belong here: when to raise it (each module knows its own faults), nor how it is shown (that is the caller's).
"""

from __future__ import annotations

from typing import Any


class IngestError(Exception):
    """A file, folder or download cannot be used as it is.

    ``str(error)`` is complete for a person: where, what was expected and found, and what to do next.

    Parameters
    ----------
    problem
        What is wrong, as a sentence; names the column and what was expected where there is one.
    next_step
        What to do about it, as a sentence.
    where
        The file, folder or source that the problem is in.
    """

    def __init__(self, problem: str, *, next_step: str, where: str = "") -> None:
        self.problem = problem
        self.next_step = next_step
        self.where = where
        super().__init__(f"{where}: {problem} {next_step}" if where else f"{problem} {next_step}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make the error anew in another process: its words are given by name, which pickle cannot."""
        return BaseException.__new__, (type(self), *self.args), self.__dict__


class WrongDeclarationError(IngestError):
    """A declaration cannot be read, names what there is not, or does not fit the first of its files."""


def counted(count: int, noun: str) -> str:
    """Return how many there are of something, in words that agree.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shorten(text: str, limit: int = 80) -> str:
    r"""Return `text` on one line and at most `limit` characters long, what cannot be printed as escapes.

    A terminal would obey some of that: colours, the cursor, text from right to left.

    Examples
    --------
    >>> shorten("a\nb")
    'a b'
    >>> shorten("x" * 100, limit=5)
    'xxxx…'
    >>> shorten("\x1b[31m")
    '\\x1b[31m'
    """
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split())[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"
