import shutil
import time
from datetime import datetime

import polars as pl
import pytest

from dashboard.queries import audiences, health, members, recommend, segments, titles, viewing
from orchestration.commands.recommend.answers import Recommender
from orchestration.stores.recommender import RecommenderStore
from published.errors import PublishedError
from published.finding import current_set

TITLES = pl.DataFrame(
    {
        "title_id": ["1", "2", "3", "4", "5"],
        "catalogue": ["movies"] * 5,
        "title": ["Heat", "The Heat", "Amélie", "Heat", None],
        "kind": ["movie"] * 5,
        "release_year": pl.Series([1995, 2013, 2001, 1972, None], dtype=pl.Int32),
        "runtime": [None] * 5,
        "runtime_minutes": [170.0, None, 122.0, None, None],
        "genres": ["Crime, Drama", "Comedy", "Comedy, Romance", "Drama", None],
        "languages": ["English"] * 5,
        "countries": ["USA"] * 5,
        "audience_score": [80.0, 60.0, 85.0, None, None],
        "critic_score": [None] * 5,
        "votes": [1000, 500, 800, 3, None],
        "weighted_score": [79.0, 61.0, 82.0, 55.0, None],
        "rating_count": [200, 300, 150, 10, 0],
        "mean_rating": [4.0, 3.0, 4.2, 3.5, None],
    },
    schema_overrides={"runtime": pl.String, "critic_score": pl.Float64},
)


def similar(*pairs: tuple[str, str, float, str]) -> pl.DataFrame:
    called = dict(TITLES.select("title_id", "title").iter_rows())
    return pl.DataFrame(
        [
            {
                "title_id": one,
                "rank": 1,
                "similar_title_id": other,
                "title": called[one],
                "similar_title": called[other],
                "similarity": similarity,
                "basis": basis,
            }
            for one, other, similarity, basis in pairs
        ]
    )


@pytest.fixture
def shelf(publish):
    return current_set(
        publish(
            titles=TITLES,
            similar_titles=similar(
                ("1", "4", 0.5, "ratings"),
                ("1", "3", 0.2, "ratings"),
                ("2", "3", 0.4, "ratings"),
                ("2", "4", 0.9, "content"),
                ("1", "2", 0.3, "ratings"),
            ),
        )
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("heat", ["1", "4", "2"]),
        ("HEAT the", ["2"]),
        ("amelie", ["3"]),
        ("AMÉL", ["3"]),
        ("", ["2", "1", "3", "4"]),
        ("heat crime", []),
        ("%", []),
        ("_ea", []),
    ],
)
def test_a_search_takes_every_word_whatever_case_and_accents_the_exact_name_first(shelf, text, found):
    assert titles.search(shelf, text)["title_id"].to_list()[: len(found) or None] == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Amelei", ["3"]),  # two letters swapped
        ("Haet", ["1", "4", "2"]),
        ("Heaat teh", []),  # of short words every letter counts
        ("the Heta", ["2"]),
        ("Aemlei", []),  # two slips in a word of six letters
    ],
)
def test_where_no_title_has_the_words_those_spelt_like_them_are_found(shelf, typed, found):
    hits = titles.search(shelf, typed)["title_id"].to_list()
    assert sorted(hits) == sorted(found)


def test_titles_of_one_name_are_told_apart_by_their_year(shelf):
    assert titles.named(shelf, ["1", "4"]) == {"1": "Heat (1995)", "4": "Heat (1972)"}


def test_an_unknown_title_is_none(shelf):
    assert titles.title(shelf, "' or 1=1") is None


@pytest.fixture(scope="module")
def stored(made_up):
    return recommend.recommender(current_set(made_up))


def test_liked_titles_are_answered_as_the_command_line_answers_them(made_up, stored):
    liked = ["12", "14", "16"]
    asked = Recommender(RecommenderStore(made_up / "models" / "recommender", "current"), None)
    advised, unknown = recommend.liked_recommendations(stored, liked, None)
    assert advised.equals(asked.for_liked(liked, 20).rows)
    assert not unknown
    assert not set(liked) & set(advised["title_id"])
    assert all(reason.startswith("because you like ") for reason in advised["reason"])


def test_a_genre_leaves_only_titles_that_have_it(stored):
    advised, _ = recommend.liked_recommendations(stored, ["12"], "Comedy")
    assert len(advised)
    assert all("Comedy" in genres.split(", ") for genres in advised["genres"])
    assert not len(recommend.liked_recommendations(stored, ["12"], "Com")[0])


def test_titles_that_the_recommender_does_not_know_are_named_and_what_is_popular_is_said_so(stored):
    advised, unknown = recommend.liked_recommendations(stored, ["nowhere"], None)
    assert unknown == ["nowhere"]
    assert set(advised["reason"]) == {"popular with other viewers"}


def test_an_answer_for_liked_titles_takes_a_tenth_of_a_second_at_most(stored):
    took = []
    for _ in range(5):
        began = time.process_time()
        recommend.liked_recommendations(stored, ["12", "14", "16"], None)
        took.append(time.process_time() - began)
    assert min(took) < 0.1


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda version: shutil.rmtree(version.parent), "No recommender is trained here yet"),
        (lambda version: shutil.rmtree(version / "arrays"), "has no arrays. `matinee run` trains it anew"),
        (lambda version: (version / "arrays" / "seen.indptr.npy").unlink(), "lacks 'indptr'"),
        (lambda version: (version / "titles.parquet").unlink(), "cannot be read"),
        (lambda version: (version / "ids.parquet").write_bytes(b"PAR1"), "cannot be read"),
        (lambda version: halve(version / "arrays" / "seen.data.npy"), "cannot be read"),
    ],
)
def test_a_recommender_that_is_missing_or_damaged_is_told_of_in_words(made_up, tmp_path, harm, words):
    shutil.copytree(made_up, tmp_path, dirs_exist_ok=True)
    harm(tmp_path / "models" / "recommender" / "abc")
    with pytest.raises(PublishedError, match=words):
        recommend.recommender(current_set(tmp_path))


def halve(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_the_box_of_a_genre_is_that_of_its_single_ratings(publish):
    ratings = [0.5] * 1 + [3.0] * 4 + [4.0] * 9 + [5.0] * 2
    counted = pl.Series("rating", ratings).value_counts(name="ratings").cast({"ratings": pl.Int64})
    data = current_set(
        publish(genre_rating_counts=counted.with_columns(genre=pl.lit("war"), genre_label=pl.lit("War")))
    )
    box = viewing.rating_boxes(data).row(0, named=True)
    assert (box["q1"], box["median"], box["q3"]) == (3.0, 4.0, 4.0)
    assert (box["low"], box["high"]) == (3.0, 5.0)
    assert box["ratings"] == 16
    assert box["mean"] == pytest.approx(sum(ratings) / 16)


def test_a_user_is_found_in_the_segments_of_users_only(world):
    found = recommend.segments_of_user(world, "7")
    assert found["segmentation"].to_list() == ["user_activity_and_ratings", "user_ratings"]


def test_the_maps_of_all_k_show_the_same_members_in_whatever_order_the_table_holds_them(publish):
    placed = pl.DataFrame({"pc1": [number / 7 for number in range(40)], "pc2": [1.0, -1.0] * 20})
    of_k = [
        placed.sample(fraction=1, shuffle=True, seed=k).select(
            pl.lit("taste").alias("segmentation"),
            pl.lit(k, pl.Int32).alias("k"),
            pl.lit(0, pl.Int32).alias("segment_id"),
            pl.lit("all").alias("segment_name"),
            pl.lit(False).alias("is_centre"),
            "pc1",
            "pc2",
        )
        for k in (2, 3)
    ]
    world = current_set(publish(segment_map=pl.concat(of_k)))
    two, three = (segments.points(world, "taste", k, 10).select("pc1", "pc2").sort("pc1") for k in (2, 3))
    assert len(two) == 10
    assert two.equals(three)


def test_every_table_of_the_contract_is_asked_for_by_names_it_has(world):
    for question in (
        lambda: segments.profiles(world, "user_ratings"),
        lambda: segments.points(world, "user_ratings", 5),
        lambda: members.members(
            world,
            members.Choice("user_id"),
            segmentations=["user_ratings"],
            attributes=list(members.ATTRIBUTES),
            minimum=50,
        ),
        lambda: health.runs(world),
        lambda: health.checks(world),
        lambda: health.stages(world),
        lambda: viewing.users_by_device(world),
        lambda: titles.by_genre(world),
        lambda: recommend.metrics(world),
    ):
        assert len(question())


def test_what_most_of_a_segment_are_recommended_counts_first_tens_only(publish):
    ids = pl.DataFrame({"entity_id": ["1", "2", "3"], "segment_id": [0, 0, 1]})
    members = ids.with_columns(segmentation=pl.lit("user_ratings"))
    lists = pl.DataFrame(
        [("1", 1, "A"), ("1", 10, "B"), ("2", 2, "A"), ("2", 11, "B"), ("3", 1, "B")],
        schema=["user_id", "rank", "title_id"],
        orient="row",
    ).with_columns(title="title_id", genres=pl.lit(None, pl.String))
    data = current_set(publish(segment_members=members, recommendations=lists))
    rows = segments.recommended(data, "user_ratings", 0)
    assert rows.select("title_id", "members", "share", "size").rows() == [("A", 2, 1.0, 2), ("B", 1, 0.5, 2)]
    assert rows["base_share"].to_list() == pytest.approx([2 / 3, 2 / 3])
    assert not len(segments.recommended(data, "user_ratings", 9))


def test_only_audiences_that_are_declared_today_are_followed_over_time(publish):
    moment = datetime(2026, 11, 30, 3)
    history = {"audience": ["now", "gone"], "entity_id": ["1", "2"], "entered_at": [moment] * 2}
    tables = {
        "audiences": pl.DataFrame({"audience": ["now"]}),
        "audience_history": pl.DataFrame(history).with_columns(left_at=pl.lit(None, pl.Datetime)),
    }
    assert audiences.sizes(current_set(publish(**tables))).rows() == [("now", moment, 1)]
