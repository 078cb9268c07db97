"""Every recommender on one stratified split of a ratings file, as a Markdown table.

Belongs here: the split, the items' genres, the table. Does not belong here: models and figures
(`ml.recommendation`).
"""

import argparse
import ast
from pathlib import Path

import numpy as np
import polars as pl

from ml.recommendation.evaluate import evaluate
from ml.recommendation.models import MODEL_NAMES, NEEDS_FEATURES
from ml.recommendation.splits import stratified_split

FIGURES = ("ndcg", "precision", "recall", "map", "coverage", "novelty", "genre_match")


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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description="Judge every recommender on a stratified 75/25 split by user."
    )
    parser.add_argument("--source", type=Path, required=True, help="folder with ratings, links and catalogue")
    parser.add_argument("--seed", type=int, default=42, help="of the split")
    parser.add_argument("-k", type=int, default=10, help="length of the lists")
    options = parser.parse_args()
    train, test = stratified_split(
        read_ratings(options.source), test_share=0.25, rng=np.random.default_rng(options.seed), user="user_id"
    )
    names = [name for name in MODEL_NAMES if name not in NEEDS_FEATURES]
    done = evaluate(
        train, test, names, k=options.k, items=read_items(options.source), rng=np.random.default_rng(0)
    )
    print(f"| model | {' | '.join(FIGURES)} | seconds |\n|---|{'---:|' * (len(FIGURES) + 1)}")
    for name in sorted(names, key=lambda name: -done.figures[name].ndcg):
        figures = done.figures[name]
        cells = [f"{getattr(figures, figure):.3f}" for figure in FIGURES]
        print(f"| {name} | {' | '.join(cells)} | {figures.seconds:.1f} |")


if __name__ == "__main__":
    main()
