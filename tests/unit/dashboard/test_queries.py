import polars as pl
import pytest

from dashboard.queries import health, maps, recommend, segments, titles, viewing
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
        ("_eat", []),
    ],
)
def test_a_search_takes_every_word_whatever_case_and_accents_the_exact_name_first(shelf, text, found):
    assert titles.search(shelf, text)["title_id"].to_list()[: len(found) or None] == found


def test_the_nearest_spelling_is_named(shelf):
    assert titles.nearest(shelf, "Amelei", most=1) == ["Amélie"]


def test_titles_of_one_name_are_told_apart_by_their_year(shelf):
    assert titles.named(shelf, ["1", "4"]) == {"1": "Heat (1995)", "4": "Heat (1972)"}


def test_an_unknown_title_is_none(shelf):
    assert titles.title(shelf, "' or 1=1") is None


def test_recommended_for_liked_titles_is_what_is_most_similar_to_all_of_them(shelf):
    advised = recommend.liked_recommendations(shelf, ["1", "2"], None)
    # By ratings 3 has 0.2 + 0.4 and 4 has 0.5; the 0.9 by content is on another scale.
    assert advised.select("title_id", "reason").rows() == [
        ("3", "because you like The Heat and Heat"),
        ("4", "because you like Heat and The Heat"),
    ]
    assert advised["score"].to_list() == pytest.approx([0.6, 0.5])


def test_a_liked_title_is_never_recommended(shelf):
    assert not {"1", "2"} & set(recommend.liked_recommendations(shelf, ["1", "2"], None)["title_id"])


def test_titles_like_nothing_that_is_liked_come_last_because_they_are_popular(shelf):
    advised = recommend.liked_recommendations(shelf, ["3"], None)
    assert advised.select("title_id", "reason").rows() == [
        ("2", recommend.POPULAR),
        ("1", recommend.POPULAR),
        ("4", recommend.POPULAR),
    ]


def test_a_genre_leaves_only_titles_that_have_it(shelf):
    assert recommend.liked_recommendations(shelf, ["1"], "Comedy")["title_id"].to_list() == ["2", "3"]
    assert not len(recommend.liked_recommendations(shelf, ["1"], "Com"))


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


def test_every_table_of_the_contract_is_asked_for_by_names_it_has(world):
    for question in (
        lambda: segments.profiles(world, "user_ratings"),
        lambda: maps.points(world, "user_ratings", 5),
        lambda: segments.members(world, "user_ratings", 0),
        lambda: health.runs(world),
        lambda: health.checks(world),
        lambda: viewing.users_by_device(world),
        lambda: titles.by_genre(world),
        lambda: recommend.metrics(world),
    ):
        assert len(question())
