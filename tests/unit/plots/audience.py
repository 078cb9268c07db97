"""An invented audience and catalogue, in the columns of the marts that plots read."""

from datetime import date, timedelta

import numpy as np
import polars as pl

GENRES = ("Drama", "Comedy", "Action", "Science Fiction", "Romance", "Horror", "Family", "Western")
DEVICES = ("TV", "Mobile", "Desktop", "Tablet")
SEGMENTS = ("Quiet Viewers (Churn Risk)", "New Explorers", "Premium Loyalists")


def titles(count: int = 600) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    genre = rng.integers(0, len(GENRES), count)
    scores = np.clip(rng.normal(70 - 2 * genre, 9), 0, 100)
    return pl.DataFrame({"genre_label": np.array(GENRES)[genre], "score": scores})


def genre_rating_counts() -> pl.DataFrame:
    rng = np.random.default_rng(2)
    stars = np.arange(1, 11) / 2
    rows = [
        {"genre_label": genre, "rating": star, "ratings": int(times)}
        for i, genre in enumerate(GENRES)
        for star, times in zip(stars, rng.multinomial(4_000 // (i + 1), weights(4 - i / 8)), strict=True)
    ]
    return pl.DataFrame(rows)


def weights(middle: float) -> np.ndarray:
    shares = np.exp(-((np.arange(1, 11) / 2 - middle) ** 2))
    return shares / shares.sum()


def genre_popularity() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "genre_label": GENRES,
            "ratings": [45_000, 40_000, 28_000, 17_000, 16_500, 16_000, 4_000, 900],
            "mean_rating": [3.68, 3.42, 3.44, 3.45, 3.5, 3.2, 3.3, 3.9],
        }
    )


def user_devices(users: int = 12) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for user in range(users):
        for device, share in zip(DEVICES, rng.dirichlet([2, 1, 0.5, 0.3]), strict=True):
            segment = None if user == users - 1 else user % len(SEGMENTS)
            rows.append(
                {
                    "user_id": 101 + user,
                    "segment_id": segment,
                    "segment_name": None if segment is None else SEGMENTS[segment],
                    "device": device,
                    "share": share,
                }
            )
    return pl.DataFrame(rows)


def segment_devices() -> pl.DataFrame:
    shares = np.array([[0.2, 0.6, 0.1, 0.1], [0.4, 0.4, 0.1, 0.1], [0.6, 0.2, 0.15, 0.05]])
    base = shares.mean(axis=0)
    return pl.DataFrame(
        [
            {
                "segment_id": i,
                "segment_name": name,
                "device": device,
                "share": shares[i, j],
                "index": 100 * shares[i, j] / base[j],
            }
            for i, name in enumerate(SEGMENTS)
            for j, device in enumerate(DEVICES)
        ]
    )


def similar_titles(groups: int = 3, each: int = 5) -> pl.DataFrame:
    """Return titles in groups that resemble each other, shuffled, as rows in one direction."""
    rng = np.random.default_rng(4)
    group = rng.permutation(np.repeat(np.arange(groups), each))
    rows = []
    for i in range(len(group)):
        for j in range(i):
            same = group[i] == group[j]
            if same or rng.random() < 0.3:
                rows.append(
                    {
                        "title_id": str(i),
                        "title": f"Film {i} of group {group[i]}",
                        "similar_title_id": str(j),
                        "similar_title": f"Film {j} of group {group[j]}",
                        "similarity": 0.6 + 0.3 * rng.random() if same else 0.2 * rng.random(),
                    }
                )
    return pl.DataFrame(rows)


def user_genres(users: int = 7) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    return pl.DataFrame(
        [
            {
                "user_id": user,
                "segment_id": user % len(SEGMENTS),
                "segment_name": SEGMENTS[user % len(SEGMENTS)],
                "genre_label": genre,
                "ratings": int(rng.integers(1, 90)) + (60 if genre == "Drama" else 0),
            }
            for user in range(users)
            for genre in GENRES
        ]
    )


def segment_genres(genres: int = 16) -> pl.DataFrame:
    rng = np.random.default_rng(6)
    names = [*GENRES, *(f"Genre {i}" for i in range(len(GENRES), genres))][:genres]
    return pl.DataFrame(
        [
            {
                "segment_id": i,
                "segment_name": name,
                "genre_label": genre,
                "ratings": int(rng.integers(1, 900)) * (i + 1),
            }
            for i, name in enumerate(SEGMENTS)
            for genre in names
        ]
    )


def viewing_hours() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"weekday": day, "hour": hour, "events": 40 + 30 * (day >= 6) + 3 * hour * (hour < 22)}
            for day in range(1, 8)
            for hour in range(24)
        ]
    ).with_columns(
        events=pl.when(weekday=6, hour=21).then(300).when(weekday=2, hour=4).then(7).otherwise("events")
    )


def weekly_activity(weeks: int = 20) -> pl.DataFrame:
    start = date(2025, 3, 3)
    return pl.DataFrame(
        [
            {
                "week": start + timedelta(weeks=week),
                "device": device,
                "minutes": 60.0 * (1_000 - 230 * i) * (1.02**week) * (0.4 if week == weeks - 1 else 1),
            }
            for week in range(weeks)
            for i, device in enumerate(DEVICES)
        ]
    )


def catalogue_trends() -> pl.DataFrame:
    rows = [
        {
            "catalogue": catalogue,
            "release_year": year,
            "titles": round(size * 1.03 ** (year - 1950)) if year < 2017 else size // 3,
            "audience_score": 74 - (year - 1950) / 8 + year % 3,
        }
        for catalogue, first, size in (("movies", 1890, 60), ("streaming", 1960, 9))
        for year in range(first, 2019)
    ]
    return pl.DataFrame(rows).with_columns(scored_titles="titles")


def recommender_metrics() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "model": ["popularity", "blend", "ease", "random", "als"],
            "value": [0.214, 0.345, 0.338, 0.004, 0.312],
            "is_default": [False, True, False, False, False],
            "is_baseline": [True, False, False, True, False],
        }
    )


def segment_titles() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "segment_id": i,
                "segment_name": name,
                "rank": rank,
                "title": f"Film {i}{rank} with quite a long name, part {rank}",
                "raters": 40,
                "rater_share": 0.1 * (5 - rank / 2) * (i + 1) / 3,
                "base_share": 0.1,
                "index": 100 * (5 - rank / 2) * (i + 1) / 3,
            }
            for i, name in enumerate(SEGMENTS)
            for rank in range(1, 7)
        ]
    )
