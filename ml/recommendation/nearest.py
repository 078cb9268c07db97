"""Names nearest to one that nobody knows, for "did you mean".

Belongs here: the search. Does not belong here: the sentence around it.
"""

from collections.abc import Sequence

from rapidfuzz import fuzz, process, utils

_LEAST_LIKENESS = 55


def nearest_names(name: str, names: Sequence[str], *, most: int = 3) -> list[str]:
    """Return the names most like a misspelt one, the likest first; none where nothing is like it.

    Likeness is the edit distance of whole names and of their words in any order (`rapidfuzz.fuzz.WRatio`), case and
    punctuation aside; of equal likeness the earlier name comes first.

    Parameters
    ----------
    name
        What somebody typed.
    names
        Names that are known; put those that people look for first.
    most
        Names returned, at most.
    """
    found = process.extract(
        name,
        names,
        scorer=fuzz.WRatio,
        processor=utils.default_process,
        limit=most,
        score_cutoff=_LEAST_LIKENESS,
    )
    return list(dict.fromkeys(match for match, _, _ in found))
