"""The colours of things that are no segments, such as devices and catalogues.

Belongs here: these colours. Does not belong here: those of segments, which nothing else must look like.
"""

from collections.abc import Iterable

# Okabe and Ito (2008), without yellow, which is lost on white.
_KIND_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#1f2430")


def kind_colors(kinds: Iterable[str]) -> dict[str, str]:
    """Return a hex colour for each kind; by name, so that their order changes none. From the eighth on they return."""
    return {kind: _KIND_COLORS[i % len(_KIND_COLORS)] for i, kind in enumerate(sorted(set(kinds)))}
