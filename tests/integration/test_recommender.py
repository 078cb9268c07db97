"""From raw ratings to titles for every user, and the command that asks for them."""

import json
from pathlib import Path

import polars as pl
import pytest
from scipy.stats import binomtest


@pytest.fixture(scope="module")
def mart(demo_warehouse: Path):
    return lambda name: pl.read_parquet(demo_warehouse / "published" / f"{name}.parquet")


def test_every_user_is_recommended_20_titles_with_a_reason_each(mart):
    recommended = mart("recommendations")
    assert (
        recommended["user_id"].n_unique()
        == mart("segment_members").filter(pl.col("segmentation") == "user_ratings").height
    )
    per_user = recommended.group_by("user_id").agg(pl.col("rank").sort())
    assert per_user["rank"].to_list() == [list(range(1, 21))] * len(per_user)
    assert recommended["reason"].str.contains("^(because you rated .+|popular with .+)$").all()


def test_the_default_beats_both_kinds_of_popularity_and_matches_genres(mart):
    metrics = mart("recommender_metrics")

    def value(model: str, metric: str) -> float:
        return metrics.filter(pl.col("model") == model, pl.col("metric") == metric)["value"].item()

    (default,) = metrics.filter("is_default")["model"].unique()
    for baseline in metrics.filter("is_baseline")["model"].unique():
        assert value(default, "ndcg") > value(baseline, "ndcg")
    assert value(default, "genre_match") > value("popular", "genre_match")


def test_every_segment_of_users_has_its_ndcg_by_every_model(mart):
    found = mart("recommender_segment_ndcg")
    segments = mart("segments").filter(pl.col("entity") == "user_id")
    models = mart("recommender_metrics")["model"].n_unique()
    assert len(found) == len(segments) * models
    assert found["ndcg"].is_between(0, 1).all()


def test_a_title_over_indexes_where_it_is_listed(mart):
    listed = mart("segment_titles")
    assert (listed["index"] > 100).all()
    assert (listed["raters"] >= 10).all()
    audience = mart("title_audience")
    both = listed.join(audience, on=["segmentation", "title_id", "segment_id"], suffix="_of_all")
    assert (both["raters"] == both["raters_of_all"]).all()
    shares = (
        audience.filter(pl.col("segmentation") == "user_ratings")
        .group_by("title_id")
        .agg((pl.col("raters").sum() / pl.col("members").sum()).alias("share"), pl.col("base_share").first())
    )
    assert (shares["share"] - shares["base_share"]).abs().max() < 1e-12


@pytest.mark.parametrize(
    "segmentation", ["user_ratings", "user_activity_and_ratings", "user_taste", "user_viewing"]
)
def test_no_segment_leads_most_titles_only_because_its_members_rate_more(mart, segmentation):
    audience = mart("title_audience").filter(segmentation=segmentation)
    leads = audience.sort("index", descending=True).unique("title_id", keep="first", maintain_order=True)
    assert leads["segment_name"].value_counts()["count"].max() < len(leads) / 2
    assert audience.group_by("title_id").agg(pl.col("raters").sum())["raters"].min() > 0
    # The raw index is what everybody's share makes of it: there the most active lead.
    per_member = pl.col("activity_share") / pl.col("members")
    active = audience.sort(per_member, descending=True)["segment_name"][0]
    raw = audience.sort("raw_index", descending=True).unique("title_id", keep="first", maintain_order=True)
    adjusted, before = ((of["segment_name"] == active).sum() for of in (leads, raw))
    assert segmentation not in ("user_ratings", "user_activity_and_ratings") or 2 * adjusted < before


def test_the_index_of_an_audience_is_its_share_of_the_raters_over_its_share_of_all_ratings(mart):
    audience = mart("title_audience").filter(segmentation="user_ratings")
    own = audience.group_by("segment_id").agg(pl.col("raters").sum())
    activity = own.with_columns(activity=pl.col("raters") / own["raters"].sum()).drop("raters")
    found = audience.join(activity, on="segment_id").with_columns(all=pl.col("raters").sum().over("title_id"))
    assert (found["activity"] - found["activity_share"]).abs().max() < 1e-12
    assert (100 * found["raters"] / found["all"] / found["activity"] - found["index"]).abs().max() < 1e-9
    for row in found.head(500).iter_rows(named=True):
        interval = binomtest(row["raters"], row["all"]).proportion_ci(0.95, method="wilson")
        ends = [100 * end / row["activity"] for end in (interval.low, interval.high)]
        assert [row["index_low"], row["index_high"]] == pytest.approx(ends, rel=1e-4, abs=1e-4)


def test_the_command_lists_users_likely_to_watch_a_title_who_have_not(
    matinee, demo_warehouse, mart, tmp_path
):
    titles = mart("titles").sort("rating_count", descending=True)
    title_id, raters = titles["title_id"][5], titles["rating_count"][5]
    asked = ["recommend", "--audience", title_id, "-n", 1000]
    answer = matinee(*asked, "--output", tmp_path / "likely.csv", warehouse=demo_warehouse)
    assert answer.exit_code == 0, answer.said
    listed = pl.read_csv(tmp_path / "likely.csv", schema_overrides={"user_id": pl.String})
    assert listed["rank"].to_list() == list(range(1, len(listed) + 1))
    assert listed["score"].is_sorted(descending=True)
    members = mart("segment_members").filter(segmentation="user_ratings")
    segments = dict(members.select("entity_id", "segment_name").iter_rows())
    assert [segments[user] for user in listed["user_id"]] == listed["segment_name"].to_list()
    assert len(listed) == len(members) - raters
    shown = matinee("recommend", "--audience", title_id, "-n", 3, warehouse=demo_warehouse)
    assert all(user in shown.said for user in listed["user_id"][:3])


def test_every_title_has_similar_ones_and_none_is_similar_to_itself(mart):
    similar = mart("similar_titles")
    assert (similar["title_id"] != similar["similar_title_id"]).all()
    listed, unlisted = mart("titles")["title_id"], mart("unlisted_titles")["recommended_as"].drop_nulls()
    assert set(listed) <= set(similar["title_id"]) <= {*listed, *unlisted}


def test_the_command_recommends_to_a_user_as_the_table_does(matinee, demo_warehouse, mart):
    answer = matinee("recommend", "--user", 7, "-n", 20, "--json", warehouse=demo_warehouse)
    assert answer.exit_code == 0, answer.said
    asked = [row["title_id"] for row in json.loads(answer.said.splitlines()[-1])]
    listed = mart("recommendations").filter(pl.col("user_id") == "7").sort("rank")["title_id"].to_list()
    # All titles are scored for one user, the most rated ones for everybody: a rare title may come in between.
    assert len(set(asked) & set(listed)) >= 15


def test_the_command_takes_titles_somebody_likes_and_a_genre(matinee, demo_warehouse, mart):
    liked = mart("similar_titles")["title"][0]
    answer = matinee(
        "recommend", "--like", liked, "--genre", "drama", "-n", 3, "--json", warehouse=demo_warehouse
    )
    assert answer.exit_code == 0, answer.said
    titles = json.loads(answer.said.splitlines()[-1])
    assert [title["rank"] for title in titles] == [1, 2, 3]
    assert all("Drama" in title["genres"].split(", ") for title in titles)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (["--user", "987654"], "no user 987654"),
        (["--user", "1", "--genre", "Dramma"], "Did you mean 'Drama'?"),
        (["--like", "'; drop table users; --"], "no title"),
    ],
)
def test_what_is_unknown_is_said_and_ends_with_exit_code_1(matinee, demo_warehouse, asked, answered):
    answer = matinee("recommend", *asked, warehouse=demo_warehouse)
    assert answer.exit_code == 1
    assert answered in answer.said


@pytest.mark.parametrize("asked", [[], ["--user", "1", "--like", "Heat"]])
def test_one_question_must_be_asked(matinee, demo_warehouse, asked):
    answer = matinee("recommend", *asked, warehouse=demo_warehouse)
    assert answer.exit_code == 2
    assert "one of --user ID, --like TITLE" in answer.said


def test_before_the_first_run_the_command_says_what_to_do(matinee, tmp_path):
    answer = matinee("recommend", "--user", "1", warehouse=tmp_path)
    assert answer.exit_code == 1
    assert "run `matinee run` first" in answer.said
