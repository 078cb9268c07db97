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
from ml.segmentation.quality.held_out import Cut, Judged, cuts, halve, sample_users
from ml.segmentation.quality.nulls import volume_quantiles
from ml.segmentation.quality.stability import agreement
from ml.segmentation.quality.table import Figure, resampled

USERS = 10_000
"""Users who are judged; all of them where there are no more."""
HALVED_USERS = 5_000
"""The same for halves, where each halving finds labels four times."""
PSEUDO_USERS = 50
_PLACES = 10
_RESAMPLES = 200
_NULLS = frozenset({"volume", "shuffled"})
"""Beside the whole; a segment has none of these."""
_HALVINGS, _SHUFFLED_HALVINGS = 5, 2

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
        figure
        for measure, gains in (("lift", lifts), ("genre_gain_bits", bits))
        if gains
        for figure in _figures(measure, gains, labellings, judged.k, weights)
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
    it stands how far quantiles of volume agree, and the same labels on what is shuffled (in the first two halvings: it
    is hardly above 0).
    """
    label = judged.label
    if label is None:
        return Figure("split_half_ari", None)
    judged = judged.sampled(users, rng)
    own, volume, shuffled = [], [], []
    for halving in range(halvings):
        halves = halve(judged.interactions, rng)
        own.append(agreement(*map(label, halves)))
        volume.append(agreement(*(volume_quantiles(np.diff(half.indptr), judged.k) for half in halves)))
        if judged.shuffled and halving < _SHUFFLED_HALVINGS:
            shuffled.append(agreement(*map(judged.shuffled, halves)))
    beside = {
        "volume": float(np.mean(volume)),
        **({"shuffled": float(np.mean(shuffled))} if shuffled else {}),
    }
    return resampled("split_half_ari", float(np.mean(own)), np.array(own), beside=beside)


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

    # A title's place in a user's own list is its place in the segment's, less the seen titles before it: one sort of
    # user, place and whether it is seen, packed into one number, says how many these are.
    bits, lengths = titles.bit_length(), np.diff(cut.train.indptr)
    packed = []
    for last_bit, part in enumerate((cut.held_out, cut.train)):
        user = np.repeat(np.arange(n), np.diff(part.indptr))
        in_segment = place[labels[user], part.indices]
        near = in_segment < lengths[user] + _PLACES  # further down, too few are seen for the first places
        packed.append((user[near] << bits | in_segment[near]) << 1 | last_bit)
    keys = np.sort(np.concatenate(packed))
    user, in_segment, is_seen = keys >> bits + 1, (keys >> 1) & ((1 << bits) - 1), keys & 1
    seen = np.concatenate([[0], np.cumsum(is_seen)])
    in_list = in_segment - (seen[1:] - seen[np.searchsorted(user, np.arange(n))][user])
    hit = np.zeros((n, _PLACES), dtype=bool)
    top = (is_seen == 0) & (in_list < _PLACES)
    hit[user[top], in_list[top]] = True
    relevant = np.diff(cut.held_out.indptr)
    return np.where(relevant > 0, ndcg(hit, np.maximum(relevant, 1)), 0.0)


def _genres(cut: Cut, labellings: Mapping[str, np.ndarray], shares: sp.csr_array) -> Gains:
    """Return each user's gain in bits over held-out interactions with genres, and how many these are."""
    train, held_out = (part @ shares.toarray() for part in (cut.train, cut.held_out))
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


def _counts(rows: sp.csr_array | np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Sum rows (n, m) by label, with the pseudo-users added, (labels, m) float64."""
    onehot = np.zeros((len(labels), labels.max() + 1))
    onehot[np.arange(len(labels)), labels] = 1
    summed = (rows.T @ onehot).T
    return summed + PSEUDO_USERS * summed.sum(axis=0) / len(labels)


def _shares(genres: sp.csr_array) -> sp.csr_array:
    """Return genres with each title's summing to 1."""
    counts = np.diff(genres.indptr)
    data = np.repeat(1 / np.maximum(counts, 1), counts)
    return sp.csr_array((data, genres.indices, genres.indptr), shape=genres.shape)


def _figures(
    measure: str,
    gains: Sequence[Gains],
    labellings: Sequence[Mapping[str, np.ndarray]],
    k: int,
    weights: np.ndarray,
) -> list[Figure]:
    """Make the figures of everybody and of each segment from the gains of all cuts."""
    own, random = (
        np.sum([_by_segment(of[name], at[name], k) for of, at in zip(gains, labellings, strict=True)], axis=0)
        for name in ("own", "random")
    )
    nulls = {
        name: _ratio(np.sum([of[name] for of in gains], axis=0)) for name in _NULLS & labellings[0].keys()
    }
    resamples = _ratios(own, weights)
    return [
        resampled(
            measure,
            _ratio(own[:, i]),
            resamples[i],
            segment_id=i - 1 if i else None,
            beside={"random": _ratio(random[:, i])} | ({} if i else nulls),
        )
        for i in range(k + 1)
    ]


def _by_segment(gain: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Return gains (2, n) of everybody and of the members of each segment alone, (2, 1 + k, n)."""
    return gain[:, None] * np.vstack([np.ones(len(labels)), labels == np.arange(k)[:, None]])


def _resamples(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each of n users is in each bootstrap sample, (resamples, n) float64."""
    drawn = [np.bincount(rng.integers(n, size=n, dtype=np.int32), minlength=n) for _ in range(_RESAMPLES)]
    return np.array(drawn, dtype=np.float64)


def _ratio(gains: np.ndarray) -> float:
    """Divide the sums of gains (2, n); not a number where nobody is judged."""
    return float(_ratios(gains, np.ones((1, gains.shape[1])))[0])


def _ratios(gains: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Divide the sums of gains (2, ..., n) of each resample; not a number where it has nobody who is judged."""
    with one_thread_each("blas"):
        gained, base = gains @ weights.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, gained / base, np.nan)
