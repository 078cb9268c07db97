"""The segmentation as somebody writes it who knows what is fast: the benchmark's second opponent.

Belongs here: one script in polars and scikit-learn, float32 throughout, with one k-means++ start for each k, where the
notebook takes ten; two maps for each feature set and no other picture. Does not belong here: any code of Matinee's.
What the notebook does as well as anyone would (cleaning the titles, drawing a map) is the notebook's.

Run it with `python benchmarks/savvy_script.py --source FOLDER --out DIR`.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from plain_notebook import (
    CANDIDATES,
    EXPLORED,
    VALID_GENRES,
    Stopwatch,
    clean_titles,
    finish,
    peak_rss_bytes,
    plot_map,
    read_links,
    read_titles,
)
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.preprocessing import StandardScaler

FEATURE_SETS = {"user_activity_and_ratings": ("cnt_", "avg_"), "user_ratings": ("avg_",)}
_USER, _TITLE = "userId", "id"


def read_titles_and_links(source: Path, counts: dict[str, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one row per title and genre, and one per movie id with its title."""
    titles = clean_titles(read_titles(source), counts)
    titles = titles.sort_values(["vote_count", "popularity"], ascending=False).drop_duplicates(_TITLE)
    tags = pl.from_pandas(titles[[_TITLE, "genres"]].explode("genres")).rename({"genres": "genre"})
    links = pl.from_pandas(read_links(source).dropna().astype("int32")).rename({"tmdbId": _TITLE})
    numbers = pl.DataFrame({"genre": VALID_GENRES, "number": np.arange(len(VALID_GENRES), dtype=np.uint8)})
    tags = tags.join(numbers, on="genre").select(pl.col(_TITLE).cast(pl.Int32), "number")
    return tags, links.join(tags.select(_TITLE).unique(), on=_TITLE, how="semi")


def last_ratings(source: Path, links: pl.DataFrame) -> pl.DataFrame:
    """Return each user's last rating of each title: sorted by time, the last of equal ones."""
    path = next(p for name in ("ratings.csv", "ratings_small.csv") if (p := source / name).exists())
    schema = {_USER: pl.Int32, "movieId": pl.Int32, "rating": pl.Float32, "timestamp": pl.Int32}
    joined = pl.scan_csv(path, schema=schema).join(links.lazy(), on="movieId").collect(engine="streaming")
    ordered = joined.sort(_USER, _TITLE, "timestamp", "movieId", "rating")
    is_last = (pl.struct(_USER, _TITLE) != pl.struct(_USER, _TITLE).shift(-1)).fill_null(value=True)
    return ordered.filter(is_last).select(_USER, _TITLE, "rating")


def user_genre_stats(ratings: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """Return count and mean of each user's ratings by genre, 0 where never rated."""
    by_genre = (
        ratings.lazy()
        .join(tags.lazy(), on=_TITLE)
        .group_by(_USER, "number")
        .agg(pl.len().alias("cnt"), pl.col("rating").mean().alias("avg"))
        .collect(engine="streaming")
    )
    users = by_genre[_USER].unique().sort()
    row = users.search_sorted(by_genre[_USER]).to_numpy()
    columns = {}
    for statistic in ("cnt", "avg"):
        cells = np.zeros((len(users), len(VALID_GENRES)), dtype=np.float32)
        cells[row, by_genre["number"].to_numpy()] = by_genre[statistic].to_numpy()
        columns |= {f"{statistic}_{genre}": cells[:, place] for place, genre in enumerate(VALID_GENRES)}
    return pl.DataFrame({_USER: users, **columns})


def sweep(X: np.ndarray) -> tuple[list[dict[str, float]], dict[int, KMeans]]:
    """Fit each k from one start and judge it by three indices."""
    rows, fits = [], {}
    for k in CANDIDATES:
        fits[k] = KMeans(n_clusters=k, n_init=1, random_state=0).fit(X)
        labels = fits[k].labels_
        rows.append(
            {
                "k": k,
                "inertia": float(fits[k].inertia_),
                "silhouette": float(
                    silhouette_score(X, labels, sample_size=min(10_000, len(X)), random_state=0)
                ),
                "calinski_harabasz": float(calinski_harabasz_score(X, labels)),
                "davies_bouldin": float(davies_bouldin_score(X, labels)),
            }
        )
    return rows, fits


def run(source: Path, out: Path) -> dict[str, object]:
    """Go from the raw files to tables, indices and maps."""
    start = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    watch, counts, found = Stopwatch(), dict[str, int](), {}
    with watch.stage("read titles and links"):
        tags, links = read_titles_and_links(source, counts)
    with watch.stage("read ratings, last rating per title"):
        ratings = last_ratings(source, links)
        counts["distinct_user_titles"] = len(ratings)
    with watch.stage("count and mean per user and genre"):
        stats = user_genre_stats(ratings, tags)
        del ratings
        stats.write_parquet(out / "user_genre_stats.parquet")
        counts["users"] = len(stats)
    for name, prefixes in FEATURE_SETS.items():
        with watch.stage(f"k sweep, {name}"):
            X = StandardScaler().fit_transform(
                stats.select(pl.col(f"^({'|'.join(prefixes)}).*$")).to_numpy().astype(np.float32)
            )
            metrics, fits = sweep(X)
        with watch.stage(f"segments and maps, {name}"):
            pca = PCA(n_components=2).fit(X)
            points = pca.transform(X)
            for k in EXPLORED:
                means = stats.drop(_USER).with_columns(segment=fits[k].labels_).group_by("segment").mean()
                means.sort("segment").write_csv(out / f"segments_{name}_k{k}.csv")
                plot_map(
                    points,
                    pca.transform(fits[k].cluster_centers_),
                    fits[k].labels_,
                    out / f"map_{name}_k{k}.png",
                )
            pd.DataFrame(metrics).to_csv(out / f"k_metrics_{name}.csv", index=False)
        found[name] = {"k_metrics": metrics}
    return {
        "seconds": time.perf_counter() - start,
        "counts": counts,
        "stages": watch.stages,
        "segmentations": found,
        "peak_rss_bytes": peak_rss_bytes(),
    }


def main() -> int:
    """Run it on a folder."""
    parser = argparse.ArgumentParser(description="The segmentation in polars and scikit-learn, float32.")
    parser.add_argument("--source", type=Path, required=True, help="folder with the three raw CSV files")
    parser.add_argument("--out", type=Path, required=True, help="folder for tables and maps")
    parser.add_argument("--json", type=Path, help="where to write stages, memory and k metrics")
    options = parser.parse_args()
    finish(run(options.source, options.out), options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
