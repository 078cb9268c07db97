"""Names nearest to one that nobody knows, for "did you mean".

Belongs here: the search. Does not belong here: the sentence around it.
"""

from collections.abc import Sequence

from rapidfuzz import fuzz, process, utils

_LEAST_LIKENESS = 60


def nearest_names(name: str, names: Sequence[str], *, most: int = 3) -> list[str]:
    """Return the names most like a misspelt one, the likest first; none where nothing is like it.

    Likeness is that of whole names, or of their words in alphabetical order, by edit distance, case and punctuation
    aside. Only where no name is like it in this way, names that contain something like it count.

    Parameters
    ----------
    name
        What somebody typed.
    names
        Names that are known, each as often as it likes; of equally near ones the earlier comes first.
    most
        Names returned, at most.
    """
    known = list(dict.fromkeys(names))
    for scorers in ((fuzz.ratio, fuzz.token_sort_ratio), (fuzz.partial_ratio,)):
        likeness: dict[int, float] = {}
        for scorer in scorers:
            for _, score, place in process.extract(
                name,
                known,
                scorer=scorer,
                processor=utils.default_process,
                limit=most,
                score_cutoff=_LEAST_LIKENESS,
            ):
                likeness[place] = max(score, likeness.get(place, 0))
        if likeness:
            nearest = sorted(likeness, key=lambda place: (-likeness[place], place))
            return [known[place] for place in nearest[:most]]
    return []
