"""Running one function on each of many files: here in turn, or wherever who calls has it run.

Belongs here: what such a runner promises, and the plain one. Does not belong here: what is run.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class RunEach(Protocol):
    """Runs a function on each of some things, wherever that is, and gives the results in the order of the things.

    Function, things and results can be pickled; `str(thing)` is what a person calls it. An `IngestError` of the
    function is raised where its result is due. Nothing runs any more once the generator is closed.
    """

    def __call__(self, function: Callable[[T], R], things: Sequence[T], /) -> Generator[R, None, None]: ...  # noqa: D102


def in_turn(function: Callable[[T], R], things: Sequence[T], /) -> Generator[R, None, None]:
    """Run a function on each thing here, once its result is asked for."""
    yield from map(function, things)
