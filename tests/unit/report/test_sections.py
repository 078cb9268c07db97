"""What a reader may rely on in the sections on catalogue, recommender and recommendations."""

import polars as pl
import pytest

from report.sections.advice import advice, left_out
from report.sections.audience import plans
from report.sections.catalogue import catalogues, popular_genres
from report.sections.quality import headlines
from report.sections.recommender import recommender


def _metrics() -> pl.DataFrame:
    rows = [
        ("popularity", "ndcg@10", 0.25, False, True),
        ("popularity", "coverage", 0.01, False, True),
        ("ease", "ndcg@10", 0.5, True, False),
        ("ease", "coverage", 0.4, True, False),
        ("ease", "seconds", 1.25, True, False),
        ("als", "ndcg@10", 0.45, False, False),
    ]
    return pl.DataFrame(rows, schema=["model", "metric", "value", "is_default", "is_baseline"], orient="row")


def _recommendations(users: int = 2) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "user_id": str(user),
            "rank": rank,
            "title_id": str(rank),
            "title": f"Title {rank}",
            "genres": "Drama",
            "score": 1.0 / rank,
            "reason": "because of Title 0",
        }
        for user in range(1, users + 1)
        for rank in range(1, 11)
    )


def test_models_stand_best_first_with_the_one_in_use_and_the_baselines_marked():
    view = recommender(_metrics(), None, None, {})
    assert [(model.name, model.is_default, model.is_baseline) for model in view.models] == [
        ("EASE: titles rated by the same people", True, False),
        ("ALS: hidden tastes", False, False),
        ("popularity", False, True),
    ]
    assert [heading for heading, _ in view.metrics] == ["nDCG@10", "Coverage", "Time"]
    assert view.models[0].values == ("0.500", "40.0%", "1.25")
    assert view.models[1].values == ("0.450", "–", "–")


def test_what_is_reached_by_time_stands_beside_what_is_reached_at_random():
    later = _metrics().filter(pl.col("metric").str.starts_with("ndcg"), "is_default")
    later = later.with_columns(metric=pl.lit("later_ndcg"), value=pl.lit(0.123))
    view = recommender(pl.concat([_metrics(), later]), None, None, {})
    place = [heading for heading, _ in view.metrics].index("nDCG, later")
    assert {model.is_default: model.values[place] for model in view.models} == {True: "0.123", False: "–"}


def test_the_recommender_is_summed_up_beside_the_best_baseline():
    finding = recommender(_metrics(), None, None, {}).finding
    assert "2.00 times as well as a list that is the same for everybody (popularity)" in finding
    assert "nDCG 0.500 against 0.250" in finding


def test_the_count_of_judged_users_is_said_once_and_is_no_measure():
    counted = (
        _metrics().filter(pl.col("metric") == "ndcg@10").with_columns(metric=pl.lit("users"), value=2_994.0)
    )
    view = recommender(pl.concat([_metrics(), counted]), None, None, {})
    assert view.judged_users == 2_994
    assert "Users" not in [heading for heading, _ in view.metrics]


def test_only_the_model_in_use_is_shown_per_segment():
    rows = pl.DataFrame(
        {
            "model": ["ease", "popularity", "ease"],
            "segmentation": "user_ratings",
            "segment_id": [1, 1, 0],
            "segment_name": ["Loyal", "Loyal", "Quiet"],
            "users": [10, 10, 20],
            "ndcg": [0.5, 0.1, 0.25],
        }
    )
    ((title, served),) = recommender(_metrics(), rows, None, {}).served
    assert title == "User ratings"
    assert [(one["segment_name"], one["ndcg"], one["bar"]) for one in served] == [
        ("Quiet", 0.25, 0.5),
        ("Loyal", 0.5, 1.0),
    ]


def test_an_example_has_a_segment_but_no_name_and_five_titles_with_reasons():
    view = recommender(None, None, _recommendations(), {"2": ("Loyal", 1)})
    assert [example["segment"] for example in view.examples] == ["Loyal", ""]
    first = view.examples[0]["suggestions"]
    assert [suggestion["rank"] for suggestion in first] == [1, 2, 3, 4, 5]
    assert first[0]["reason"] == "because of Title 0"


def test_each_weight_of_being_rare_stands_with_its_figures_and_whether_its_ndcg_is_as_good_as_equal():
    steps = pl.DataFrame(
        {
            "weight": [0.5, 0.0, 1.0],
            "ndcg": [0.391, 0.4, 0.35],
            "ndcg_change": [-0.001, 0.0, -0.05],
            "change_low": [-0.003, 0.0, -0.06],
            "change_high": [0.001, 0.0, -0.04],
            "coverage": [0.3, 0.25, 0.5],
            "long_tail": [0.1, 0.05, 0.2],
            "is_in_force": [True, False, False],
        }
    )
    reaches = recommender(_metrics(), None, None, {}, long_tail=steps).reaches
    assert [reach["weight"] for reach in reaches] == [0.0, 0.5, 1.0]
    assert [reach["change"] for reach in reaches] == [
        "–",
        "−0.003 to +0.001: as good as equal",
        "−0.060 to −0.040",
    ]
    assert [reach["coverage"] for reach in reaches] == [0.25, 0.3, 0.5]
    assert [reach["long_tail"] for reach in reaches] == [0.05, 0.1, 0.2]
    assert [reach["is_in_force"] for reach in reaches] == [False, True, False]


def test_without_any_of_its_tables_the_recommender_is_empty():
    assert recommender(None, None, None, {}).is_empty
    assert recommender(_metrics().clear(), None, _recommendations().clear(), {}).is_empty


def _trends() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "catalogue": "movies",
            "release_year": [1991, 1999, 2005, None],
            "titles": [12, 40, 20, 5],
            "scored_titles": [10, 30, 0, 5],
            "weighted_score": [50.0, 70.0, None, 10.0],
        }
    )


def test_decades_sum_titles_and_weigh_means_by_scored_titles():
    (view,) = catalogues({"catalogue_trends": _trends()})
    assert [(decade["label"], decade["titles"], decade["score"]) for decade in view.decades] == [
        ("1990s", 52, 65.0),
        ("2000s", 20, None),
        ("Unknown", 5, None),
    ]
    assert view.decade_chart.finding == "72% of the titles of known year are of the 1990s"
    assert [column.label for column in view.decade_chart.columns] == ["1990s", "2000s"]


def test_a_genre_of_few_scored_titles_is_neither_best_nor_worst():
    genres = pl.DataFrame(
        {
            "catalogue": "streaming",
            "genre_label": ["Drama", "Comedy", "Foreign"],
            "titles": [100, 50, 30],
            "scored_titles": [100, 50, 2],
            "weighted_score": [70.0, 60.0, 99.0],
        }
    )
    (view,) = catalogues({"catalogue_genres": genres})
    assert view.name == "Streaming catalogue"
    assert view.genre_finding.startswith("Drama is received best (70.0 of 100), Comedy least (60.0)")


def test_only_the_best_ten_titles_are_listed_and_those_without_a_score_never():
    titles = pl.DataFrame(
        {
            "title_id": [str(i) for i in range(100)],
            "catalogue": "movies",
            "title": [f"Title {i}" for i in range(100)],
            "kind": "movie",
            "release_year": 2000,
            "genres": "Drama",
            "weighted_score": [None, *(float(i) for i in range(1, 100))],
            "votes": 10,
        }
    )
    constants = pl.DataFrame(
        {"catalogue": ["movies"], "vote_minimum": [50.0], "mean_score": [60.0], "titles": [100]}
    )
    (view,) = catalogues({"titles": titles, "weighted_score_constants": constants})
    assert [title["title"] for title in view.best] == [f"Title {i}" for i in range(99, 89, -1)]
    assert (view.titles, view.vote_minimum, view.mean_score) == (100, 50.0, 60.0)


@pytest.mark.parametrize("minutes", [None, 0.0])
def test_minutes_are_shown_only_where_viewing_is_known(minutes):
    popularity = pl.DataFrame(
        {
            "genre_label": ["Drama", "Comedy"],
            "ratings": [5, 10],
            "raters": [2, 3],
            "viewers": [0, 0],
            "mean_rating": [3.5, 3.0],
            "minutes": [minutes, minutes],
        },
        schema_overrides={"minutes": pl.Float64},
    )
    genres = popular_genres(popularity)
    assert [(genre["genre_label"], genre["minutes"], genre["bar"]) for genre in genres] == [
        ("Comedy", None, 1.0),
        ("Drama", None, 0.5),
    ]
    watched = popular_genres(popularity.with_columns(minutes=pl.lit(7.0)))
    assert watched[0]["minutes"] == 7.0


def test_a_genre_that_nobody_rated_or_watched_is_not_listed():
    popularity = pl.DataFrame(
        {
            "genre_label": ["Drama"],
            "ratings": [0],
            "raters": [0],
            "viewers": [0],
            "mean_rating": [None],
            "minutes": [None],
        },
        schema_overrides={"mean_rating": pl.Float64, "minutes": pl.Float64},
    )
    assert popular_genres(popularity) == ()


def test_recommendations_keep_their_order_and_show_their_figures_in_words():
    rows = pl.DataFrame(
        {
            "rank": [2, 1],
            "topic": ["devices", "win_back"],
            "sentence": ["Make trailers for phones: they are watched there.", "Win back the quiet."],
            "figures": ['{"mobile_share": 0.587, "events": 1702}', "no JSON"],
            "source": ["segment_devices", None],
        }
    )
    first, second = advice(rows)
    assert (first.topic, first.figures, first.source) == ("Win back", (("Figures", "no JSON"),), "")
    assert second.figures == (("Mobile share", "58.7%"), ("Events", "1,702"))
    assert (first.action, first.reason) == ("Win back the quiet.", "")
    assert (second.action, second.reason) == ("Make trailers for phones.", "They are watched there.")
    assert advice(None) == ()


def test_subscriptions_are_summed_up_over_regions_by_their_users():
    rows = pl.DataFrame(
        {
            "subscription": ["Basic", "Premium", "Basic", None],
            "users": [30, 50, 10, 10],
            "mean_ratings": [2.0, 8.0, 6.0, None],
            "mean_minutes": [None, 9.0, None, None],
        },
        schema_overrides={"mean_minutes": pl.Float64},
    )
    assert [tuple(plan.values()) for plan in plans(rows)] == [
        ("Premium", 50, 8.0, 9.0, 0.5),
        ("Basic", 40, 3.0, None, 0.4),
        ("not known", 10, None, None, 0.1),
    ]
    assert plans(rows.tail(1)) == plans(None) == ()


def test_recommendations_beyond_those_shown_are_counted_and_z_is_explained_only_where_it_stands():
    rows = pl.DataFrame(
        {
            "rank": range(1, 20),
            "topic": "devices",
            "sentence": "Do it.",
            "figures": ['{"z": 3.1}', *['{"events": 2}'] * 18],
            "source": "segment_devices",
        }
    )
    shown = advice(rows)
    assert len(shown) + left_out(rows) == 19
    assert left_out(rows.head(3)) == left_out(None) == 0
    assert [one.has_z for one in shown[:2]] == [True, False]


def test_a_source_of_catalogues_alone_is_headed_by_its_titles():
    funnel = pl.DataFrame({"step": ["streaming rows read"], "row_count": [9]})
    titles = pl.DataFrame({"title_id": ["1", "2"]})
    assert headlines(funnel, None, titles) == (("titles", 2),)
    rated = pl.DataFrame({"step": ["distinct titles"], "row_count": [9]})
    assert headlines(rated, None, titles) == (("titles", 9),)


def test_the_share_of_a_decade_is_of_all_titles_of_known_year_and_not_of_the_decades_shown():
    years = range(1880, 2030, 10)
    trends = pl.DataFrame(
        {
            "catalogue": "movies",
            "release_year": [*years, None],
            "titles": [10] * (len(years) - 1) + [60, 500],
            "scored_titles": 0,
            "weighted_score": None,
        },
        schema_overrides={"weighted_score": pl.Float64},
    )
    (view,) = catalogues({"catalogue_trends": trends})
    assert view.decade_chart.finding == "30% of the titles of known year are of the 2020s"


def test_a_model_ahead_of_the_one_in_use_is_named_with_what_the_latter_does_better():
    ahead = _metrics().with_columns(
        value=pl.when((pl.col("model") == "als") & (pl.col("metric") == "ndcg@10"))
        .then(0.6)
        .otherwise("value")
    )
    covered = pl.DataFrame([("als", "coverage", 0.3, False, False)], schema=ahead.schema, orient="row")
    finding = recommender(pl.concat([ahead, covered]), None, None, {}).finding
    assert "ALS: hidden tastes is ahead of the model in use by nDCG: 0.600." in finding
    assert "The model in use is ahead in coverage 40.0% against 30.0%." in finding
    assert "ahead" not in recommender(_metrics(), None, None, {}).finding


def test_titles_without_a_year_are_counted_where_the_trends_leave_them_out():
    titles = pl.DataFrame(
        {
            "title_id": ["1", "2"],
            "catalogue": "movies",
            "title": "A title",
            "kind": "movie",
            "release_year": [1991, None],
            "genres": "Drama",
            "weighted_score": 50.0,
            "votes": 10,
        }
    )
    (view,) = catalogues({"titles": titles, "catalogue_trends": _trends().drop_nulls("release_year")})
    assert (view.decades[-1]["label"], view.decades[-1]["titles"]) == ("Unknown", 1)


def test_a_table_of_titles_whose_length_nobody_knows_is_left_out_and_series_are_named():
    titles = pl.DataFrame(
        {"catalogue": "movies", "title_id": ["1", "2"], "title": ["A", "B"], "kind": ["movie", "series"]}
    ).with_columns(
        release_year=pl.lit(None, pl.Int64),
        genres=pl.lit(""),
        weighted_score=pl.lit(None, pl.Float64),
        votes=0,
    )
    runtimes = pl.DataFrame(
        {
            "catalogue": "movies",
            "runtime": "Unknown",
            "titles": [2],
            "scored_titles": 0,
            "weighted_score": [None],
        }
    )
    (view,) = catalogues({"titles": titles, "catalogue_runtimes": runtimes})
    assert (view.name, view.runtimes) == ("Movies and series", ())
