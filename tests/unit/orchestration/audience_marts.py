"""Marts that the pictures of audience and catalogue are drawn from, of a few invented rows."""

from datetime import date

import polars as pl

LEAD, OTHER = "user_ratings", "user_activity"
SEGMENTS = ("Quiet", "Loud")
GENRES = ("Drama", "Comedy", "War")
USERS = range(1, 41)


def audience_marts() -> dict[str, pl.DataFrame]:
    """Return marts of forty users, half of them quiet, and of a catalogue of 150 films beside 30 series."""
    segmentations = pl.DataFrame(
        {
            "segmentation": ["customers", LEAD, OTHER],
            "place": [1, 2, 3],
            "entity": ["customer_id", "user_id", "user_id"],
            "segments": [1, 2, 2],
        }
    )
    by_segment = pl.DataFrame(
        [
            {"segmentation": segmentation, "segment_id": i, "segment_name": name}
            for segmentation, names in ((OTHER, ("Few", "Many")), (LEAD, SEGMENTS))
            for i, name in enumerate(names)
        ]
    )
    most_active = by_segment.join(
        pl.DataFrame(
            [
                {"activity": activity, "user_id": user, "segment_id": user % 2, "place": 21 - (user + 1) // 2}
                for activity in ("rating", "watching")
                for user in USERS
            ]
        ),
        on="segment_id",
    )
    devices = pl.DataFrame(
        [
            {"user_id": user, "device": device, "events": 1, "minutes": float(user), "share": 0.5}
            for user in [*USERS, 99]  # 99 watches and rates nothing
            for device in ("TV", "Mobile")
        ]
    )
    genres = pl.DataFrame(
        [
            {"user_id": user, "genre": genre.lower(), "genre_label": genre, "ratings": user + i}
            for user in USERS
            for i, genre in enumerate(GENRES)
        ]
    )
    titles = pl.DataFrame(
        [
            {
                "title_id": f"{'' if catalogue == 'movies' else 'c'}{i}",
                "catalogue": catalogue,
                "genres": "Drama, War" if i % 2 else "Comedy",
                "audience_score": None if i == 3 else 50.0 + i % 30,
                "votes": i,
                "rating_count": 1000 - i if catalogue == "movies" else 0,
            }
            for catalogue, count in (("movies", 150), ("streaming", 30))
            for i in range(count)
        ]
    )
    similar = pl.DataFrame(
        [
            {
                "title_id": str(i),
                "title": f"Film {i}",
                "similar_title_id": str((i + step) % 150),
                "similar_title": f"Film {(i + step) % 150}",
                "similarity": 1 / (1 + step),
                "basis": basis,
            }
            for i in range(150)
            for step in (1, 2)
            for basis in ("content", "ratings")
        ]
    )
    return {
        "interaction_basis": pl.DataFrame(
            {
                "basis": ["ratings"],
                "act": ["rate"],
                "acted": ["rated"],
                "given": ["ratings"],
                "least_raters": [10],
            }
        ),
        "title_audience": pl.DataFrame({"segmentation": [LEAD], "title_id": ["1"], "raters": [5]}),
        "segmentations": segmentations,
        "most_active_members": most_active,
        "user_devices": devices,
        "user_genres": genres,
        "titles": titles,
        "weighted_score_constants": pl.DataFrame(
            {"catalogue": ["streaming", "movies"], "vote_minimum": [1.0, 100.0], "titles": [30, 150]}
        ),
        "similar_titles": similar,
        "segment_genres": by_segment.join(pl.DataFrame({"genre_label": GENRES}), how="cross").with_columns(
            ratings=pl.lit(9)
        ),
        "segment_devices": by_segment.join(
            pl.DataFrame({"device": ["TV", "Mobile"]}), how="cross"
        ).with_columns(share=0.5, index=100.0),
        "segment_titles": by_segment.join(pl.DataFrame({"rank": range(1, 9)}), how="cross").with_columns(
            title=pl.format("Film {}", "rank"), raters=20, rater_share=0.4, base_share=0.2, index=200.0
        ),
        "genre_rating_counts": pl.DataFrame(
            {"genre": ["drama"], "genre_label": ["Drama"], "rating": [4.0], "ratings": [9]}
        ),
        "genre_popularity": pl.DataFrame(
            {
                "genre": ["drama", "comedy", "war"],
                "genre_label": GENRES,
                "ratings": [90, 50, 0],
                "raters": [20, 10, 0],
                "mean_rating": [4.0, 3.0, None],
            }
        ),
        "viewing_hours": pl.DataFrame({"weekday": [1, 2], "hour": [20, 21], "events": [5, 6]}),
        "weekly_activity": pl.DataFrame(
            {"week": [date(2025, 1, 6), date(2025, 1, 13)], "device": "TV", "minutes": [60.0, 90.0]}
        ),
        "catalogue_trends": pl.DataFrame(
            {
                "catalogue": "movies",
                "release_year": [2000, 2001],
                "titles": [70, 80],
                "scored_titles": [60, 70],
                "audience_score": [60.0, 61.0],
            }
        ),
        "recommender_metrics": pl.DataFrame(
            {
                "model": ["blend", "blend", "popularity"],
                "metric": ["ndcg", "coverage", "ndcg"],
                "value": [0.3, 0.5, 0.2],
                "is_default": [True, True, False],
                "is_baseline": [False, False, True],
            }
        ),
    }
