"""How far a computation is, for whoever wants to know.

Belongs here: the callable that is told. Does not belong here: what it does with it.
"""

from collections.abc import Callable

Tell = Callable[[int, int], None]
"""Takes how many parts are done, and of how many."""


def untold(_done: int, _of: int) -> None:
    """Tell nobody."""
