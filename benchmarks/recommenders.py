"""Every recommender on one split of a ratings file, or the seconds and the memory of nights, as tables.

Belongs here: the split, the items' genres, the clock, the tables. Does not belong here: models and figures
(`ml.recommendation`), the steps of a night (`orchestration.tasks.recommender`).
"""

import argparse
import ast
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from ml.recommendation.evaluate import Evaluation, evaluate
from ml.recommendation.models import MODEL_NAMES, NEEDS_FEATURES
from ml.recommendation.splits import SPLITS, split
from orchestration.stores.recommender import RecommenderStore
from orchestration.tasks.recommender import (
    evaluate_recommenders,
    find_similar_titles,
    fit_recommender,
    list_recommendations,
)

FIGURES = ("ndcg", "precision", "recall", "map", "coverage", "novelty", "diversity", "genre_match")


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


def now() -> tuple[float, float]:
    """Return the moment by the clock and by the processor."""
    return time.perf_counter(), time.process_time()


@dataclass
class Clock:
    """Seconds, seconds of both cores, and the highest memory so far, of the steps of a night."""

    night: str
    began: tuple[float, float] = field(default_factory=now)
    last: tuple[float, float] = field(default_factory=now)

    def stop(self, step: str) -> None:
        """End a step and print it."""
        self._print(step, self.last)
        self.last = now()

    def total(self) -> None:
        """Print the whole night."""
        self._print(f"**all**, load {os.getloadavg()[0]:.1f}", self.began)

    def _print(self, step: str, since: tuple[float, float]) -> None:
        wall, cpu = (moment - then for moment, then in zip(now(), since, strict=True))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"| {self.night} | {step} | {wall:.1f} | {cpu:.1f} | {peak:.2f} |", flush=True)


def measure(source: Path) -> None:
    """Print what the steps of a first night take, of one on which one rating in a hundred is new, and of a third."""
    print("| night | step | seconds | seconds of CPU | peak so far, GiB |\n|---|---|---:|---:|---:|")
    rated = read_ratings(source).unique(["user_id", "item_id"], keep="last", maintain_order=True)
    rated = rated.sort("user_id", "item_id").select(
        "user_id",
        title_id="item_id",
        weight=pl.col("rating").cast(pl.Float64),
        last_at=pl.from_epoch("timestamp"),
    )
    titles = read_items(source).rename({"item_id": "title_id"}).sort("title_id")
    titles = titles.with_columns(
        pl.lit(None, pl.String).alias("overview"),
        title_key=pl.col("title_id").cast(pl.String),
        title="genres",
    )
    earlier = rated.filter(pl.int_range(pl.len()) % 100 != 0)
    with TemporaryDirectory() as folder:
        files = [Path(folder) / f"{name}.parquet" for name in ("titles", "ids", "all", "earlier")]
        ids = pl.DataFrame(schema={"number": pl.Int64, "id": pl.String})
        for file, frame in zip(files, (titles, ids, rated, earlier), strict=True):
            frame.write_parquet(file)
        del rated, earlier
        store = RecommenderStore(Path(folder) / "recommender")
        said, written, everything, before = files
        for night, ratings in (("first", before), ("next", everything), ("same ratings", everything)):
            steps: dict[str, Callable[[], object]] = {
                "judge or keep the judging": partial(evaluate_recommenders, store, ratings, said, written),
                "train on all ratings": partial(fit_recommender, store, ratings, said, written),
                "everybody's lists with reasons": partial(list_recommendations, store, ratings),
                "titles alike": partial(find_similar_titles, store, ratings, said),
            }
            clock = Clock(night)
            for step, work in steps.items():
                work()
                clock.stop(step)
            clock.total()
            store.promote_candidate()


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
    parser.add_argument("--scale", action="store_true", help="measure the steps of three nights instead")
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
