"""What segments are worth: how much better held-out interactions are foretold with them than without.

Belongs here: measures on interactions. Does not belong here: the cuts and labels (`held_out`), what they are
compared with (`nulls`).

Segments and everybody are modelled by counts, a segment's with `PSEUDO_USERS` average users added, so that a small
one is not judged by the accidents of its few members.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import scipy.sparse as sp

from ml.recommendation.metrics import ndcg
from ml.segmentation.assignment import one_thread_each
from ml.segmentation.quality.held_out import Cut, Judged, Label, cuts, halve, sample_users
from ml.segmentation.quality.nulls import volume_quantiles
from ml.segmentation.quality.stability import agreement
from ml.segmentation.quality.table import Figure, resampled

USERS = 20_000
"""Users who are judged; all of them where there are no more."""
HALVED_USERS = 5_000
"""The same for halves, where each halving finds labels four times."""
PSEUDO_USERS = 50
_PLACES = 10
_RESAMPLES = 200
_HALVINGS = 5

Gains = Mapping[str, np.ndarray]
"""By labelling, (2, n) float64: what is gained of each user, and what that is measured by. A figure is the ratio of
their sums over users."""


def held_out_value(judged: Judged, *, rng: np.random.Generator, users: int = USERS) -> list[Figure]:
    """Measure what k segments of users foretell of interactions they were not made from.

    `lift` is nDCG@10 of a list of the titles most popular in the user's segment, over that of the titles most
    popular with everybody, for the quarter of each user's interactions that is held out; seen titles are left out,
    every title is ranked, users without a held-out one are not judged. `genre_gain_bits` is the mean log-likelihood
    of the genres of a held-out interaction under the segment's share of genres, less that under everybody's; a title
    of several genres counts for each in part. They are about 1 and 0 for segments without taste; the nulls say how
    much of them the same could be had for.

    Parameters
    ----------
    judged
        Interactions, segments, and how to find them anew; at least one user.
    rng
        Draws users, cuts and resamples.
    users
        Sample size.

    Returns
    -------
    `lift`, and `genre_gain_bits` where genres are given: for the whole and for each segment, with the interval of a
    bootstrap over users and the nulls; for a segment only random labels, as other nulls have no such segment.
    """
    judged = judged.sampled(users, rng)
    shares = None if judged.genres is None else _shares(judged.genres)
    labellings, lifts, bits = list[Mapping[str, np.ndarray]](), list[Gains](), list[Gains]()
    for cut, train in cuts(judged.interactions, rng):
        labellings.append(judged.labellings(train, rng))
        lifts.append(_ranking(cut, labellings[-1]))
        bits += [] if shares is None else [_genres(cut, labellings[-1], shares)]
    weights = _resamples(judged.interactions.shape[0], rng)
    return [
        _figure(measure, gains, labellings, segment, weights)
        for measure, gains in (("lift", lifts), ("genre_gain_bits", bits))
        if gains
        for segment in (None, *range(judged.k))
    ]


def lift_by_k(
    interactions: sp.csr_array,
    label: Callable[[sp.csr_array], Mapping[int, np.ndarray]],
    *,
    rng: np.random.Generator,
    users: int = USERS,
) -> dict[int, Figure]:
    """Measure the `lift` of several numbers of segments on the same cuts; what is embedded is embedded once.

    Parameters
    ----------
    interactions : (n, titles) csr
        Users sorted by id.
    label
        Takes the training part and gives the labels of its rows for each k.
    rng
        Draws users, cuts and resamples.
    users
        Sample size.

    Returns
    -------
    k to its lift, whose `error` is the standard error.
    """
    interactions, _ = sample_users(interactions, np.empty(interactions.shape[0]), users=users, rng=rng)
    gains = [
        _ranking(cut, {str(k): labels for k, labels in label(train).items()})
        for cut, train in cuts(interactions, rng)
    ]
    weights = _resamples(interactions.shape[0], rng)
    summed = {int(k): sum((gain[k] for gain in gains), np.zeros((2, 1))) for k in gains[0]}
    return {k: resampled("lift", _ratio(gain), _ratios(gain, weights)) for k, gain in summed.items()}


def split_half(
    judged: Judged, *, rng: np.random.Generator, users: int = HALVED_USERS, halvings: int = _HALVINGS
) -> Figure:
    """Find segments on either half of each user's interactions: `split_half_ari`, how far the two agree.

    A taste that is the user's own shows in both halves. Needs `judged.label`. The interval is over halvings; beside
    it stands how far quantiles of volume agree, and the same labels on what is shuffled.
    """
    label = judged.label
    if label is None:
        return Figure("split_half_ari", None)
    judged = judged.sampled(users, rng)
    found = np.array([_halved(judged, label, rng) for _ in range(halvings)])
    own, volume, shuffled = found.mean(axis=0).tolist()
    return resampled("split_half_ari", own, found[:, 0], beside={"volume": volume, "shuffled": shuffled})


def _halved(judged: Judged, label: Label, rng: np.random.Generator) -> tuple[float, float, float]:
    halves = halve(judged.interactions, rng)
    quantiles = [volume_quantiles(np.diff(half.indptr), judged.k) for half in halves]
    shuffled = agreement(*map(judged.shuffled, halves)) if judged.shuffled else float("nan")
    return agreement(*map(label, halves)), agreement(*quantiles), shuffled


def _ranking(cut: Cut, labellings: Mapping[str, np.ndarray]) -> Gains:
    """Return each user's nDCG by the list of the segment and by everybody's."""
    everybody = _ndcg(cut, np.zeros(cut.train.shape[0], dtype=np.int64))
    return {name: np.stack([_ndcg(cut, labels), everybody]) for name, labels in labellings.items()}


def _ndcg(cut: Cut, labels: np.ndarray) -> np.ndarray:
    """Return nDCG@10 of each user's list, 0 where nothing is held out, (n,) float64."""
    n, titles = cut.train.shape
    order = np.argsort(-_counts(cut.train, labels), axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(titles)[None], axis=1)

    # A title's place in a user's own list is its place in the segment's, less the seen titles before it: one sort
    # of all pairs by user and place says how many these are.
    both = sp.csr_array(cut.train - cut.held_out)
    user = np.repeat(np.arange(n), np.diff(both.indptr))
    keys = user * np.int64(titles) + place[labels[user], both.indices]
    order = np.argsort(keys)
    is_seen = both.data[order] > 0
    in_list = keys[order] % titles - (np.cumsum(is_seen) - cut.train.indptr[user])
    hit = np.zeros((n, _PLACES), dtype=bool)
    top = ~is_seen & (in_list < _PLACES)
    hit[user[top], in_list[top]] = True
    relevant = np.diff(cut.held_out.indptr)
    return np.where(relevant > 0, ndcg(hit, np.maximum(relevant, 1)), 0.0)


def _genres(cut: Cut, labellings: Mapping[str, np.ndarray], shares: sp.csr_array) -> Gains:
    """Return each user's gain in bits over held-out interactions with genres, and how many these are."""
    train, held_out = sp.csr_array(cut.train @ shares), (cut.held_out @ shares).toarray()
    weight = held_out.sum(axis=1)
    everybody = train.sum(axis=0)
    found = {}
    for name, labels in labellings.items():
        counts = _counts(train, labels)
        # A genre that only held-out titles have was foretold by neither.
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = counts / counts.sum(axis=1, keepdims=True) / (everybody / everybody.sum())
            bits = np.where(everybody > 0, np.log2(expected), 0.0)
        found[name] = np.stack([np.einsum("ug,ug->u", held_out, bits[labels]), weight])
    return found


def _counts(rows: sp.csr_array, labels: np.ndarray) -> np.ndarray:
    """Sum rows (n, m) by label, with the pseudo-users added, (labels, m) float64."""
    n = rows.shape[0]
    onehot = sp.csr_array((np.ones(n), labels, np.arange(n + 1)))
    return (onehot.T @ rows).toarray() + PSEUDO_USERS * rows.sum(axis=0, dtype=np.float64) / n


def _shares(genres: sp.csr_array) -> sp.csr_array:
    """Return genres with each title's summing to 1."""
    counts = np.diff(genres.indptr)
    data = np.repeat(1 / np.maximum(counts, 1), counts)
    return sp.csr_array((data, genres.indices, genres.indptr), shape=genres.shape)


def _figure(
    measure: str,
    gains: Sequence[Gains],
    labellings: Sequence[Mapping[str, np.ndarray]],
    segment: int | None,
    weights: np.ndarray,
) -> Figure:
    """Make a figure of the gains of all cuts, of a segment or, without one, of everybody."""

    def summed(name: str) -> np.ndarray:
        total = np.zeros((2, weights.shape[1]))
        for gain, labels in zip(gains, labellings, strict=True):
            total += gain[name] if segment is None else gain[name] * (labels[name] == segment)
        return total

    own = summed("own")
    nulls = [name for name in labellings[0] if name != "own"] if segment is None else ["random"]
    beside = {null: _ratio(summed(null)) for null in nulls}
    return resampled(measure, _ratio(own), _ratios(own, weights), segment_id=segment, beside=beside)


def _resamples(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each of n users is in each bootstrap sample, (resamples, n) float64."""
    drawn = rng.integers(n, size=(_RESAMPLES, n)) + n * np.arange(_RESAMPLES)[:, None]
    return np.bincount(drawn.ravel(), minlength=_RESAMPLES * n).reshape(_RESAMPLES, n).astype(np.float64)


def _ratio(gains: np.ndarray) -> float:
    """Divide the sums of gains (2, n); not a number where nobody is judged."""
    return float(_ratios(gains, np.ones((1, gains.shape[1])))[0])


def _ratios(gains: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Divide the sums of gains (2, n) of each resample; not a number where it has nobody who is judged."""
    with one_thread_each("blas"):
        gained, base = gains @ weights.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, gained / base, np.nan)
