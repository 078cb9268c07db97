"""A segment keeps its id and name for as long as it is the same people, and nobody else ever gets them."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.segmentation.identity import Matching, Promoted, match

NAMES = ("Drama", "Comedy", "Horror", "Western", "Noir")


def members(segment_ids, first: int = 0) -> pl.DataFrame:
    """Entities numbered from `first`, each in the segment given."""
    entities = [str(first + i) for i in range(len(segment_ids))]
    return pl.DataFrame(
        {"entity_id": entities, "segment_id": segment_ids}, schema_overrides={"segment_id": pl.Int32}
    )


def promoted(segment_ids, names=NAMES, **more) -> Promoted:
    return Promoted(members(segment_ids), dict(enumerate(names)), **more)


def told(matching: Matching, *kinds: str) -> list[tuple]:
    return [
        (kind, segment_id, was, into, round(share, 2))
        for kind, segment_id, _, was, into, share in matching.events.iter_rows()
        if kind in kinds
    ]


def moved(segment_ids: np.ndarray, share: float, k: int, rng: np.random.Generator) -> np.ndarray:
    """The same segments after a share of the entities went to another one."""
    after = segment_ids.copy()
    who = rng.choice(len(after), round(share * len(after)), replace=False)
    after[who] = (after[who] + rng.integers(1, k, len(who))) % k
    return after


def test_a_segment_of_one_in_a_hundred_keeps_its_id_where_a_tenth_of_all_move():
    before = np.repeat(range(5), [2_500, 1_500, 700, 250, 50])
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(5)
        matching = match(promoted(before), members(labels[moved(before, 0.1, 5, rng)]), ["x"] * 5)
        assert matching.segment_ids == tuple(np.argsort(labels))
        assert matching.events["kind"].to_list() == ["kept"] * 5


@given(st.permutations(range(5)), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_numbers_of_a_candidates_labels_change_nothing(permutation, seed):
    rng = np.random.default_rng(seed)
    before = rng.choice(3, 600, p=[0.5, 0.3, 0.2])
    # The first falls into three, a tenth of all moves: kept, born and split at once.
    after = moved(np.where(before == 0, rng.choice([0, 3, 4], 600, p=[0.6, 0.25, 0.15]), before), 0.1, 5, rng)
    called, number = ["A", "B", "C", "D", "Drama"], np.array(permutation)
    one = match(promoted(before, NAMES[:3]), members(after), called)
    other = match(
        promoted(before, NAMES[:3]), members(number[after]), [called[i] for i in np.argsort(number)]
    )
    assert [other.segment_ids[i] for i in number] == list(one.segment_ids)
    assert [other.segment_names[i] for i in number] == list(one.segment_names)
    assert other.events.sort(other.events.columns).equals(one.events.sort(one.events.columns))


@given(st.lists(st.integers(0, 4), min_size=5, max_size=60))
def test_the_same_division_again_keeps_everything(labels):
    labels = np.unique([0, 1, *labels], return_inverse=True)[1]
    k = labels.max() + 1
    matching = match(promoted(labels, NAMES[:k]), members(labels), ["x"] * k)
    assert matching.segment_ids == tuple(range(k))
    assert matching.segment_names == NAMES[:k]
    assert matching.events["share"].to_list() == [1.0] * k


def test_a_division_at_random_continues_nothing():
    rng = np.random.default_rng(1)
    for k in (2, 3, 5):
        matching = match(
            promoted(rng.integers(k, size=2_000), NAMES[:k]), members(rng.integers(k, size=2_000)), ["x"] * k
        )
        assert min(matching.segment_ids) == k
        assert told(matching, "kept", "split", "merged") == []


def test_a_split_is_told_and_the_larger_part_keeps_the_id():
    before, after = np.repeat([0, 1], 100), np.repeat([2, 1, 0], [60, 40, 100])
    matching = match(promoted(before, NAMES[:2]), members(after), ["a", "Noir", "c"])
    assert matching.segment_ids == (1, 2, 0)
    assert matching.segment_names == ("Comedy", "Noir", "Drama")
    assert told(matching, "born", "split", "died", "merged") == [
        ("born", 2, None, 2, 0.2),
        ("split", 2, 0, 2, 0.4),
    ]
    assert ("kept", 0, 0, 0, 0.6) in told(matching, "kept")


def test_a_merge_is_told_and_the_larger_part_keeps_the_id():
    before, after = np.repeat([0, 1, 2], [60, 40, 100]), np.repeat([0, 1], 100)
    matching = match(promoted(before, NAMES[:3]), members(after), ["a", "b"])
    assert matching.segment_names == ("Drama", "Horror")
    assert told(matching, "died", "merged", "born", "split") == [
        ("died", 1, 1, None, 0.2),
        ("merged", 1, 1, 0, 1.0),
    ]


def test_newcomers_make_a_new_segment_that_split_off_nobody():
    before = members(np.repeat([0, 1], 50))
    after = pl.concat([before, members(np.full(80, 2), first=100)])
    matching = match(Promoted(before, {0: "Drama", 1: "Comedy"}), after, ["x", "y", "Noir"])
    assert matching.segment_ids == (0, 1, 2)
    assert told(matching, "born", "split") == [("born", 2, None, 2, 0.44)]


def test_the_id_and_the_name_of_a_dead_segment_are_never_given_again():
    before = Promoted(
        members(np.repeat([0, 4], 50)), {0: "Drama", 4: "Comedy"}, former={1: "Noir", 6: "Segment 10", 7: "Z"}
    )
    after = pl.concat([members(np.repeat([0, 1], 50)), members(np.repeat([2, 3, 4], 40), first=100)])
    matching = match(before, after, ["x", "y", "Noir", "Segment 3", "Drama"])
    assert matching.segment_ids == (0, 4, 8, 9, 10)
    assert matching.segment_names == ("Drama", "Comedy", "Noir 2", "Segment 11", "Drama 2")
    later = Promoted(
        after.with_columns(segment_id=pl.Series([0] * 220)), {0: "Drama"}, {**before.former, 10: "Z"}
    )
    assert min(match(later, members([0, 1] * 110), ["a", "b"]).segment_ids) == 11


def test_where_nobody_is_known_to_both_the_places_of_centroids_decide():
    before = members(np.repeat([0, 1], 50))
    after = members(np.repeat([0, 1, 2], 30), first=500)
    centroids = {0: np.array([0.0, 0.0]), 1: np.array([4.0, 0.0])}
    candidate = np.array([[4.2, 0.1], [0.1, -0.2], [40.0, 40.0]])
    living = {0: "Drama", 1: "Comedy"}
    near = match(Promoted(before, living, centroids=centroids), after, ["x"] * 3, candidate)
    assert near.segment_ids == (1, 0, 2)
    assert match(Promoted(before, living), after, ["x"] * 3).segment_ids == (2, 3, 4)


def test_the_places_of_centroids_decide_between_equal_shares_of_members_and_not_against_them():
    before, halves = np.repeat([0, 1], 100), np.repeat([0, 1, 2], [50, 50, 100])
    centroids = {0: np.array([0.0]), 1: np.array([9.0])}
    for places, ids in (
        ([1.0, 0.0, 9.0], (2, 0, 1)),
        ([0.0, 1.0, 9.0], (0, 2, 1)),
        ([9.0, 8.0, 0.0], (2, 0, 1)),
    ):
        matching = match(
            promoted(before, NAMES[:2], centroids=centroids),
            members(halves),
            ["x"] * 3,
            np.array(places)[:, None],
        )
        assert matching.segment_ids == ids
