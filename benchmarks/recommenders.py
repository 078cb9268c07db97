"""Every recommender on one split of a ratings file, or the seconds and the memory of everything, as tables.

Belongs here: the split, the items' genres, the clock, the tables. Does not belong here: models and figures
(`ml.recommendation`).
"""

import argparse
import ast
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from ml.recommendation.content import item_features
from ml.recommendation.evaluate import Evaluation, evaluate
from ml.recommendation.interactions import from_frame
from ml.recommendation.lists import lists
from ml.recommendation.models import MODEL_NAMES, NEEDS_FEATURES
from ml.recommendation.similar import similar_items
from ml.recommendation.splits import SPLITS, split, stratified_split
from ml.recommendation.tuning import tuned

FIGURES = ("ndcg", "precision", "recall", "map", "coverage", "novelty", "diversity", "genre_match")
CANDIDATES = 8_000
MOST_USERS = 10_000
LENGTH = 20


def read_ratings(source: Path) -> pl.DataFrame:
    """Return user_id, item_id, rating, timestamp of `ratings_small.csv` or `ratings.csv`."""
    path = next(path for name in ("ratings_small.csv", "ratings.csv") if (path := source / name).exists())
    return pl.read_csv(path).rename({"userId": "user_id", "movieId": "item_id"})


def read_items(source: Path) -> pl.DataFrame:
    """Return item_id and genres of the catalogue, found through the links."""
    titles = pl.read_csv(source / "movies_metadata.csv", infer_schema=False)
    titles = titles.select(pl.col("id").cast(pl.Int64, strict=False), "genres").drop_nulls().unique("id")
    links = pl.read_csv(source / "links.csv").select(item_id="movieId", id="tmdbId")
    both = links.join(titles, on="id")
    genres = ["|".join(genre["name"] for genre in ast.literal_eval(cell)) for cell in both["genres"]]
    return both.select("item_id", pl.Series("genres", genres))


@dataclass
class Clock:
    """Seconds, seconds of both cores, and the highest memory so far, of one stage after the other."""

    rows: list[tuple[str, float, float, float]] = field(default_factory=list)
    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def stop(self, stage: str) -> None:
        """End a stage and print it."""
        wall, cpu = time.perf_counter(), time.process_time()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        self.rows.append((stage, wall - self.wall, cpu - self.cpu, peak))
        print(f"| {stage} | {wall - self.wall:.1f} | {cpu - self.cpu:.1f} | {peak:.2f} |", flush=True)
        self.wall, self.cpu = wall, cpu


def measure(source: Path) -> None:
    """Print what each stage takes: choosing, training, everybody's lists, titles alike, judging."""
    print("| stage | seconds | seconds of CPU | peak so far, GiB |\n|---|---:|---:|---:|")
    clock = Clock()
    frame, items = read_ratings(source), read_items(source)
    clock.stop("read the files")
    interactions = from_frame(frame)
    features = item_features(items, interactions.items)
    clock.stop("matrix and features")
    model = tuned("blend", interactions, features=features, rng=np.random.default_rng(0))
    clock.stop("choose the blend's settings")
    fitted = model.fit(interactions, rng=np.random.default_rng(0))
    clock.stop("train it on all ratings")
    candidates = np.zeros(len(interactions.items), dtype=bool)
    candidates[np.argsort(-interactions.popularity, kind="stable")[:CANDIDATES]] = True
    table = lists(fitted, interactions, LENGTH, candidates=candidates)
    clock.stop(f"{table.height:,} recommendations with reasons")
    alike = similar_items(interactions, features, LENGTH, rng=np.random.default_rng(0))
    clock.stop(f"{alike.height:,} titles alike")
    del interactions, fitted, table, alike
    train, test = stratified_split(frame, test_share=0.25, rng=np.random.default_rng(42))
    del frame
    clock.stop("split")
    done = evaluate(
        train, test, MODEL_NAMES, items=items, most_users=MOST_USERS, rng=np.random.default_rng(0)
    )
    clock.stop(f"judge {len(MODEL_NAMES)} models on {len(done.task.users):,} users")
    print()
    show(done)


def show(done: Evaluation) -> None:
    """Print the figures of each model, the best first."""
    print(f"| model | {' | '.join(FIGURES)} | seconds |\n|---|{'---:|' * (len(FIGURES) + 1)}")
    for name in sorted(done.figures, key=lambda name: -done.figures[name].ndcg):
        figures = done.figures[name]
        cells = [f"{getattr(figures, figure):.3f}" for figure in FIGURES]
        print(f"| {name} | {' | '.join(cells)} | {figures.seconds:.1f} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Judge every recommender on a 75/25 split.")
    parser.add_argument("--source", type=Path, required=True, help="folder with ratings, links and catalogue")
    parser.add_argument("--split", choices=SPLITS, default="user", help="by which a quarter is held out")
    parser.add_argument("--seed", type=int, default=42, help="of the split")
    parser.add_argument("-k", type=int, default=10, help="length of the lists")
    parser.add_argument(
        "--scale", action="store_true", help="measure the seconds and memory of each stage instead"
    )
    options = parser.parse_args()
    if options.scale:
        measure(options.source)
        return
    rng = np.random.default_rng(options.seed)
    train, test = split(read_ratings(options.source), options.split, test_share=0.25, rng=rng)
    names = [name for name in MODEL_NAMES if name not in NEEDS_FEATURES]
    show(
        evaluate(
            train, test, names, k=options.k, items=read_items(options.source), rng=np.random.default_rng(0)
        )
    )


if __name__ == "__main__":
    main()
