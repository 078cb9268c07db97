"""The published segmentation notebook in plain pandas, scikit-learn and matplotlib: the benchmark's opponent.

Belongs here: what a competent data scientist writes in a notebook, step by step, on the raw files, and a
stopwatch around each step. Does not belong here: any code of Matinee's (nothing of it is imported), any
trick that the published steps do not imply, any deliberate slowness.

Run it with `python benchmarks/plain_notebook.py --source FOLDER --out DIR`.
"""

import argparse
import ast
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.preprocessing import StandardScaler

GENRES = (
    "Action Adventure Animation Comedy Crime Documentary Drama Family Fantasy Foreign History Horror Music "
    "Mystery Romance Science_Fiction Thriller TV_Movie War Western"
)
VALID_GENRES = [genre.replace("_", " ") for genre in GENRES.split()]
PERSONAS = [
    "Quiet Viewers (Churn Risk)",
    "New Explorers",
    "Expanding Enthusiasts",
    "Loyalists",
    "Premium Loyalists",
]
CANDIDATES = range(2, 11)
EXPLORED = (2, 5)
SECTIONS = {"features": None, "sweep_all": "user_activity_and_ratings", "sweep_ratings": "user_ratings"}
ALL_SECTIONS = (*SECTIONS, "plots")


def peak_rss_bytes() -> int:
    """Return the largest resident memory this process has had so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@dataclass
class Stopwatch:
    """Wall and CPU seconds of each stage, in the order they ran, and the peak memory once each was over."""

    stages: list[dict[str, object]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block under it and print its line."""
        start, spent = time.perf_counter(), time.process_time()
        yield
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - spent
        took = {"seconds": seconds, "cpu_seconds": cpu_seconds}
        self.stages.append({"name": name, **took, "peak_rss_bytes": peak_rss_bytes()})
        print(f"{seconds:9.2f} s  {name}  (peak {peak_rss_bytes() / 2**30:.2f} GiB)", flush=True)


@dataclass(frozen=True)
class Sweep:
    """One feature set, standardised, with every k fitted on it.

    Attributes
    ----------
    X : (n users, d) float64, standardised.
    columns : the d features.
    metrics : one row per k, with the seconds that each part of it took.
    labels : k to the (n,) cluster numbers.
    centres : k to the (k, d) cluster centres.
    """

    X: np.ndarray
    columns: list[str]
    metrics: pd.DataFrame
    labels: dict[int, np.ndarray]
    centres: dict[int, np.ndarray]


# ---------------------------------------------------------------- read


def read_ratings(source: Path) -> pd.DataFrame:
    """Read one row per rating; 32-bit ids and times, or 26 M rows would take twice the memory."""
    path = next(p for name in ("ratings.csv", "ratings_small.csv") if (p := source / name).exists())
    dtypes = {"userId": "int32", "movieId": "int32", "rating": "float64", "timestamp": "int32"}
    return pd.read_csv(path, dtype=dtypes)


def read_titles(source: Path) -> pd.DataFrame:
    columns = ["id", "genres", "vote_count", "popularity"]
    return pd.read_csv(source / "movies_metadata.csv", usecols=columns, low_memory=False)


def read_links(source: Path) -> pd.DataFrame:
    return pd.read_csv(source / "links.csv", usecols=["movieId", "tmdbId"])


# ---------------------------------------------------------------- clean and join


def genre_names(cell: object) -> list[str]:
    """Return the labels in a cell such as `[{'id': 18, 'name': 'Drama'}]`; none when it is no such list."""
    try:
        parsed = ast.literal_eval(str(cell))
    except (ValueError, SyntaxError):
        return []
    return [genre["name"] for genre in parsed] if isinstance(parsed, list) else []


def clean_titles(titles: pd.DataFrame, counts: dict[str, int]) -> pd.DataFrame:
    """Keep the rows with at least one genre and no invalid one; genres become lists of labels."""
    counts["catalogue_rows"] = len(titles)
    titles = titles.assign(genres=titles["genres"].map(genre_names))
    tags = titles["genres"].explode().dropna()
    invalid_rows = tags.index[~tags.isin(VALID_GENRES)].unique()
    titles = titles.drop(index=invalid_rows)
    counts["catalogue_rows_valid"] = len(titles)
    titles = titles[titles["genres"].str.len() > 0]
    counts["titles_with_genres"] = len(titles)
    numbers = {
        name: pd.to_numeric(titles[name], errors="coerce") for name in ("id", "vote_count", "popularity")
    }
    return titles.assign(**numbers).dropna(subset=["id"]).astype({"id": "int32"})


def join_direct(ratings: pd.DataFrame, titles: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the movie id for the title id, as published; repeated catalogue rows repeat their ratings."""
    joined = ratings.rename(columns={"movieId": "id"}).merge(titles[["id"]], on="id")
    return joined, titles.drop_duplicates("id")


def join_through_links(
    ratings: pd.DataFrame, links: pd.DataFrame, titles: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find each rating's title through links.csv; one catalogue row per id."""
    titles = titles.sort_values(["vote_count", "popularity"], ascending=False).drop_duplicates("id")
    links = links.dropna().astype("int32").rename(columns={"tmdbId": "id"})
    links = links[links["id"].isin(titles["id"])]
    return ratings.merge(links, on="movieId"), titles


def keep_last_ratings(joined: pd.DataFrame) -> pd.DataFrame:
    """Keep the last rating where a user rated a title more than once."""
    # Sorting the few repeats, rather than all 26 M ratings, is what anyone would do who waited for it once.
    repeated = joined.duplicated(["userId", "id"], keep=False)
    last = joined[repeated].sort_values(["timestamp", "movieId", "rating"])
    last = last.drop_duplicates(["userId", "id"], keep="last")
    return pd.concat([joined[~repeated], last], ignore_index=True)


# ---------------------------------------------------------------- features


def user_genre_stats(joined: pd.DataFrame, titles: pd.DataFrame) -> pd.DataFrame:
    """Count and mean of the ratings per user and genre, 0 where never rated.

    Exploding the 43 thousand titles and merging gives the same rows as exploding 26 M joined ratings,
    without 26 M Python lists; the genre is a category so that the 65 M rows fit.
    """
    tags = titles[["id", "genres"]].explode("genres").rename(columns={"genres": "genre"})
    tags["genre"] = pd.Categorical(tags["genre"], categories=VALID_GENRES)
    exploded = joined[["userId", "id", "rating"]].merge(tags, on="id")[["userId", "genre", "rating"]]
    stats = exploded.groupby(["userId", "genre"], observed=True).agg(
        count=("rating", "count"), mean=("rating", "mean")
    )
    parts = []
    for statistic, prefix in (("count", "cnt_"), ("mean", "avg_")):
        part = stats[statistic].unstack("genre").reindex(columns=VALID_GENRES).fillna(0.0)
        part.columns = [prefix + genre.lower().replace(" ", "_") for genre in VALID_GENRES]
        parts.append(part)
    return pd.concat(parts, axis="columns")


def build_features(source: Path, join: str, watch: Stopwatch, counts: dict[str, int]) -> pd.DataFrame:
    """Go from the raw files to one row per user: total_ratings, total_titles, cnt_ and avg_ per genre."""
    with watch.stage("read ratings"):
        ratings = read_ratings(source)
        counts["ratings"] = len(ratings)
    with watch.stage("read and clean titles"):
        titles = clean_titles(read_titles(source), counts)
    with watch.stage("join ratings to titles"):
        if join == "direct":
            joined, titles = join_direct(ratings, titles)
        else:
            joined, titles = join_through_links(ratings, read_links(source), titles)
        del ratings
        counts["joined_ratings"] = len(joined)
    with watch.stage("totals per user, last rating per title"):
        total_ratings = joined.groupby("userId").size()
        if join == "direct":
            total_titles = joined.groupby("userId")["id"].nunique()
        else:
            joined = keep_last_ratings(joined)
            total_titles = joined.groupby("userId").size()
        counts["distinct_user_titles"] = int(total_titles.sum())
    with watch.stage("explode genres, count and mean per user and genre"):
        stats = user_genre_stats(joined, titles)
        counts["users"] = len(stats)
    totals = {"total_ratings": total_ratings, "total_titles": total_titles}
    return pd.concat([pd.DataFrame(totals), stats], axis="columns")


# ---------------------------------------------------------------- sweep


def fit_and_judge(X: np.ndarray, k: int) -> tuple[KMeans, dict[str, float]]:
    """Fit one k once and compute every index from that fit."""
    start = time.perf_counter()
    model = KMeans(n_clusters=k, n_init=10, random_state=0).fit(X)
    fitted = time.perf_counter()
    sample = min(10_000, len(X))
    silhouette = silhouette_score(X, model.labels_, sample_size=sample, random_state=0)
    sampled = time.perf_counter()
    sizes = np.bincount(model.labels_)
    row = {
        "k": k,
        "inertia": float(model.inertia_),
        "silhouette": float(silhouette),
        "calinski_harabasz": float(calinski_harabasz_score(X, model.labels_)),
        "davies_bouldin": float(davies_bouldin_score(X, model.labels_)),
        "size_min": int(sizes.min()),
        "size_max": int(sizes.max()),
        "fit_seconds": fitted - start,
        "silhouette_seconds": sampled - fitted,
        "other_indices_seconds": time.perf_counter() - sampled,
    }
    return model, row


def sweep(stats: pd.DataFrame, prefixes: Sequence[str]) -> Sweep:
    columns = [name for name in stats.columns if name.startswith(tuple(prefixes))]
    X = StandardScaler().fit_transform(stats[columns].to_numpy(dtype="float64"))
    fits = {k: fit_and_judge(X, k) for k in CANDIDATES if k < len(X)}
    for _, row in fits.values():
        print(
            f"            k={row['k']:<2} inertia {row['inertia']:,.1f}  silhouette {row['silhouette']:.3f}  "
            f"CH {row['calinski_harabasz']:,.1f}  DB {row['davies_bouldin']:.2f}  smallest {row['size_min']}",
            flush=True,
        )
    return Sweep(
        X=X,
        columns=columns,
        metrics=pd.DataFrame([row for _, row in fits.values()]),
        labels={k: model.labels_ for k, (model, _) in fits.items()},
        centres={k: model.cluster_centers_ for k, (model, _) in fits.items()},
    )


def elbow(metrics: pd.DataFrame) -> int:
    """Return the k farthest below the straight line from the first inertia to the last."""
    k = metrics["k"].to_numpy(dtype=float)
    inertia = metrics["inertia"].to_numpy()
    along = (k - k[0]) / (k[-1] - k[0])
    drop = (inertia - inertia[-1]) / (inertia[0] - inertia[-1])
    return int(k[np.argmax(1 - along - drop)])


# ---------------------------------------------------------------- segments


def segment_table(stats: pd.DataFrame, labels: np.ndarray, *, name: bool) -> pd.DataFrame:
    """Size, share, titles per user and mean of every genre column, fewest titles per user first."""
    grouped = stats.drop(columns="total_ratings").groupby(labels)
    table = grouped.mean().rename(columns={"total_titles": "titles_per_user"})
    table.insert(0, "users", grouped.size())
    table.insert(1, "share", table["users"] / len(stats))
    table = table.sort_values("titles_per_user").rename_axis("cluster").reset_index()
    names = PERSONAS if name and len(table) == len(PERSONAS) else [f"Segment {i}" for i in range(len(table))]
    table.insert(1, "segment", names)
    return table


# ---------------------------------------------------------------- plots


def save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def plot_elbow(metrics: pd.DataFrame, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(8, 5))
    axes.plot(metrics["k"], metrics["inertia"], marker="o")
    axes.axvline(elbow(metrics), linestyle="--", color="grey", label=f"elbow at k = {elbow(metrics)}")
    axes.set(xlabel="number of clusters k", ylabel="inertia", title="Elbow")
    axes.legend()
    save(figure, path)


def plot_metrics(metrics: pd.DataFrame, path: Path) -> None:
    figure, panels = plt.subplots(2, 2, figsize=(12, 8))
    for axes, index in zip(
        panels.flat[:3], ("silhouette", "calinski_harabasz", "davies_bouldin"), strict=True
    ):
        axes.plot(metrics["k"], metrics[index], marker="o")
        axes.set(xlabel="number of clusters k", ylabel=index, title=index)
    panels.flat[3].plot(metrics["k"], metrics["size_min"], marker="o", label="smallest")
    panels.flat[3].plot(metrics["k"], metrics["size_max"], marker="o", label="largest")
    panels.flat[3].set(xlabel="number of clusters k", ylabel="users", title="cluster sizes", yscale="log")
    panels.flat[3].legend()
    save(figure, path)


def plot_map(points: np.ndarray, centres: np.ndarray, labels: np.ndarray, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(8, 6))
    axes.scatter(points[:, 0], points[:, 1], c=labels, cmap="viridis", s=3, alpha=0.4)
    axes.scatter(centres[:, 0], centres[:, 1], c="red", marker="X", s=120, label="centres")
    axes.set(xlabel="component 1", ylabel="component 2", title=f"PCA map, k = {len(centres)}")
    axes.legend()
    save(figure, path)


def plot_heat_map(table: pd.DataFrame, path: Path) -> None:
    means = table.set_index("segment").filter(like="avg_")
    figure, axes = plt.subplots(figsize=(14, 2 + 0.6 * len(means)))
    image = axes.imshow(means, aspect="auto", cmap="YlGnBu", vmin=0, vmax=5)
    axes.set_xticks(range(means.shape[1]), [name[4:] for name in means.columns], rotation=60, ha="right")
    axes.set_yticks(range(len(means)), means.index)
    for (row, column), value in np.ndenumerate(means.to_numpy()):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7)
    figure.colorbar(image, label="mean rating (0 = never rated)")
    axes.set_title("Mean rating per genre and segment")
    save(figure, path)


def plot_sizes(table: pd.DataFrame, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(9, 5))
    bars = axes.barh(table["segment"], table["users"])
    axes.bar_label(
        bars, [f"{users:,} ({share:.0%})" for users, share in zip(table.users, table.share, strict=True)]
    )
    axes.set(xlabel="users", title="Segment sizes")
    save(figure, path)


def plot_titles_per_user(stats: pd.DataFrame, labels: np.ndarray, table: pd.DataFrame, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(9, 5))
    groups = [stats["total_titles"].to_numpy()[labels == cluster] for cluster in table["cluster"]]
    axes.boxplot(groups, orientation="horizontal", tick_labels=list(table["segment"]), showfliers=False)
    axes.set(xlabel="titles per user", xscale="log", title="Titles per user by segment")
    save(figure, path)


def draw(stats: pd.DataFrame, swept: Sweep, pca: PCA, tables: dict[int, pd.DataFrame], out: Path) -> None:
    """Draw what the published analysis draws for one feature set."""
    out.mkdir(parents=True, exist_ok=True)
    plot_elbow(swept.metrics, out / "elbow.png")
    plot_metrics(swept.metrics, out / "k_metrics.png")
    points = pca.transform(swept.X)
    for k in tables:
        plot_map(points, pca.transform(swept.centres[k]), swept.labels[k], out / f"pca_map_k{k}.png")
    k = max(tables)
    plot_heat_map(tables[k], out / "genre_heat_map.png")
    plot_sizes(tables[k], out / "sizes.png")
    plot_titles_per_user(stats, swept.labels[k], tables[k], out / "titles_per_user.png")


# ---------------------------------------------------------------- the notebook, top to bottom


def run_segmentation(
    name: str, stats: pd.DataFrame, watch: Stopwatch, out: Path, *, plots: bool
) -> dict[str, object]:
    """Sweep one feature set, write its tables and plots; return what the JSON keeps of it."""
    prefixes = ("avg_",) if name == "user_ratings" else ("cnt_", "avg_")
    with watch.stage(f"k sweep, {name}"):
        swept = sweep(stats, prefixes)
    with watch.stage(f"segments and PCA, {name}"):
        pca = PCA(n_components=2).fit(swept.X)
        tables = {
            k: segment_table(stats, swept.labels[k], name=name == "user_ratings")
            for k in EXPLORED
            if k in swept.labels
        }
        for k, table in tables.items():
            table.to_csv(out / f"segments_{name}_k{k}.csv", index=False)
        swept.metrics.to_csv(out / f"k_metrics_{name}.csv", index=False)
        loadings = pd.DataFrame(
            pca.components_.T, index=swept.columns, columns=["component_1", "component_2"]
        )
        loadings.to_csv(out / f"pca_loadings_{name}.csv", index_label="feature")
    if plots:
        with watch.stage(f"plots, {name}"):
            draw(stats, swept, pca, tables, out / "plots" / name)
    variance = [float(share) for share in pca.explained_variance_ratio_]
    return {
        "elbow": elbow(swept.metrics),
        "explained_variance_ratio": variance,
        "k_metrics": swept.metrics.to_dict("records"),
    }


def run(source: Path, out: Path, *, sections: Sequence[str], join: str) -> dict[str, object]:
    start = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    watch = Stopwatch()
    counts: dict[str, int] = {}
    saved_features = out / "user_genre_stats.parquet"
    if "features" in sections:
        stats = build_features(source, join, watch, counts)
        with watch.stage("save features"):
            stats.to_parquet(saved_features)
    else:
        with watch.stage("read saved features"):
            stats = pd.read_parquet(saved_features)
    segmentations = {
        name: run_segmentation(name, stats, watch, out, plots="plots" in sections)
        for section, name in SECTIONS.items()
        if name is not None and section in sections
    }
    return {
        "seconds": time.perf_counter() - start,
        "peak_rss_bytes": peak_rss_bytes(),
        "sections": list(sections),
        "join": join,
        "cpus": os.cpu_count(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "scikit-learn": sklearn.__version__,
            "matplotlib": mpl.__version__,
        },
        "counts": counts,
        "stages": watch.stages,
        "segmentations": segmentations,
    }


def section_list(text: str) -> list[str]:
    sections = text.split(",")
    if unknown := sorted(set(sections) - set(ALL_SECTIONS)):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: sections are {', '.join(ALL_SECTIONS)}")
    return sections


def finish(result: dict[str, object], file: Path | None) -> None:
    """Print the seconds of all, and write what was found where a file is given."""
    print(f"{result['seconds']:9.2f} s  in all", flush=True)
    if file:
        file.write_text(json.dumps(result, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="The published notebook in plain pandas and scikit-learn.")
    parser.add_argument("--source", type=Path, required=True, help="folder with the three raw CSV files")
    parser.add_argument("--out", type=Path, required=True, help="folder for tables and plots")
    parser.add_argument("--join", choices=["links", "direct"], default="links")
    parser.add_argument(
        "--sections",
        type=section_list,
        default=list(ALL_SECTIONS),
        help=f"comma separated, of {','.join(ALL_SECTIONS)}; without features, those saved in --out are read",
    )
    parser.add_argument("--json", type=Path, help="where to write stages, memory and k metrics")
    options = parser.parse_args()
    result = run(options.source, options.out, sections=options.sections, join=options.join)
    finish(result, options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
