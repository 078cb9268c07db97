"""Lists of people: who is on them, what is told of whom, and what is never given out."""

import io
import zipfile

import polars as pl
import pytest

from dashboard import exports
from dashboard.queries import members as queries
from published.finding import current_set
from tests.unit.dashboard.conftest import SEGMENTS
from tests.unit.dashboard.test_pages import open_page, said

MEMBERS = pl.DataFrame(
    [
        ("user_ratings", "1", 0, "A", None),
        ("user_ratings", "2", 0, "A", None),
        ("user_ratings", "10", 1, "B", None),
        ("user_ratings", "11", 2, "Tiny", None),
        ("user_taste", "1", 0, "Crime", "light"),
        ("user_taste", "2", 0, "Crime", "heavy"),
        ("user_taste", "10", 0, "Crime", "heavy"),
        ("title_reception", "1", 0, "Liked", None),
    ],
    schema=["segmentation", "entity_id", "segment_id", "segment_name", "level"],
    orient="row",
)
TASTE = SEGMENTS.head(1).with_columns(segmentation=pl.lit("user_taste"), segment_name=pl.lit("Crime"))
TITLES = SEGMENTS.head(1).with_columns(segmentation=pl.lit("title_reception"), entity=pl.lit("title_id"))
LEVELS = pl.DataFrame(
    {"segmentation": "user_taste", "segment_id": 0, "level": ["heavy", "light"], "above": [9.0, None]}
)
USERS = pl.DataFrame(
    {
        "user_id": ["1", "2", "10"],
        "subscription": ["Basic", "Premium", "Basic"],
        "region": pl.Series([None] * 3, dtype=pl.String),
        "joined_on": pl.Series([None] * 3, dtype=pl.Date),
        "total_ratings": [5, 50, 500],
        "mean_rating": [3.0, 3.5, 4.0],
        "events": [0, 0, 0],
        "minutes": [0.0, 0.0, 0.0],
        "favourite_genres": ["Drama, War", "Science Fiction", "War"],
        "favourite_device": pl.Series([None] * 3, dtype=pl.String),
    }
)


@pytest.fixture
def data(publish):
    segments = pl.concat([SEGMENTS, TASTE, TITLES])
    return current_set(
        publish(segments=segments, segment_members=MEMBERS, segment_levels=LEVELS, users=USERS)
    )


def ids(data, **choice) -> list[str]:
    choice = queries.Choice("user_id", **choice)
    found = queries.members(data, choice, segmentations=[], minimum=50)["user_id"].to_list()
    assert queries.count(data, choice) == len(found)
    return found


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ({}, ["1", "2", "10", "11"]),
        ({"memberships": [queries.Membership("user_ratings", [0, 1])]}, ["1", "2", "10"]),
        (
            {
                "memberships": [
                    queries.Membership("user_ratings", [0]),
                    queries.Membership("user_taste", [0], ["heavy"]),
                ]
            },
            ["2"],
        ),
        ({"memberships": [queries.Membership("user_taste", (), ["light"])]}, ["1"]),
        ({"among": {"subscription": ["Basic"]}}, ["1", "10"]),
        ({"among": {"favourite_genres": ["War", "Western"]}}, ["1", "10"]),
        ({"least": {"total_ratings": 50}}, ["2", "10"]),
        ({"among": {"subscription": ["Basic"]}, "least": {"total_ratings": 50}}, ["10"]),
    ],
)  # fmt: skip
def test_a_list_has_those_in_any_segment_of_a_field_and_in_all_fields(data, choice, found):
    assert ids(data, **choice) == found


def test_a_segment_under_the_minimum_is_not_named_in_a_list(data):
    rows = queries.members(
        data, queries.Choice("user_id"), segmentations=["user_ratings", "user_taste"], minimum=50
    )
    assert rows.columns == ["user_id", "user_ratings", "user_taste", "user_taste_level"]
    assert rows.filter(user_id="11")["user_ratings"].to_list() == [None]
    assert rows.filter(user_id="2").row(0) == ("2", "A", "Crime", "heavy")


def test_titles_are_nobody_to_write_to(data):
    assert queries.segmentations(data) == {"user_id": ["user_ratings", "user_taste"]}


def test_only_attributes_that_the_source_says_of_somebody_are_offered(data):
    assert queries.attributes(data) == ["subscription", "favourite_genres", "total_ratings", "mean_rating"]


def test_a_file_is_called_in_plain_letters():
    assert exports.plain_name("Crime & Été, 1990s: niche/../") == "crime-ete-1990s-niche"
    assert exports.plain_name("…") == "list"


def test_an_archive_has_a_file_per_segment_even_for_names_that_read_alike():
    frames = {"A b": pl.DataFrame({"x": [1]}), "A-b": pl.DataFrame({"x": [2]})}
    written = exports.to_zip(frames)
    assert zipfile.ZipFile(io.BytesIO(written)).namelist() == ["a-b.csv", "a-b-too.csv"]
    assert written == exports.to_zip(frames)


def test_a_list_under_the_minimum_is_shown_no_more_than_it_is_given_out(made_up):
    app = open_page("members", made_up)
    app.multiselect(key="in_user_ratings").set_value([0]).run()
    assert not app.exception
    assert len(app.dataframe) == 1
    app.number_input(key="known_total_ratings").set_value(700.0).run()
    assert "Fewer than 50 users" in said(app)
    assert "MATINEE" in said(app)
    assert not app.dataframe
    assert not app.metric


def test_addresses_are_hidden_on_the_page_of_a_list_unless_they_may_be_shown(publish, monkeypatch):
    monkeypatch.setenv("MATINEE_MINIMUM_MEMBERS", "1")
    members = MEMBERS.with_columns(pl.col("entity_id") + "@example.com")
    warehouse = publish(segments=SEGMENTS, segment_members=members)
    app = open_page("members", warehouse)
    assert not app.exception
    assert "@example.com" not in str(app.dataframe[0].value)
    assert app.dataframe[0].value["user_id"].str.contains("***@", regex=False).all()
    monkeypatch.setenv("MATINEE_SHOW_EMAILS", "yes")
    assert "1@example.com" in open_page("members", warehouse).dataframe[0].value["user_id"].to_list()
