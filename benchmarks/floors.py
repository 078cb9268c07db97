"""What each part of a run costs at least: the same work by hand, with nothing kept, checked or recorded.

Belongs here: one query or one fit per part, in DuckDB and scikit-learn. Does not belong here: any code of Matinee's;
the cleaning of titles is the notebook's. `measure.py segments` sets the figures beside a run's.

Run it with `python benchmarks/floors.py --source FOLDER --out DIR`.
"""

import argparse
import time
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from plain_notebook import CANDIDATES, Stopwatch, clean_titles, finish, read_links, read_titles
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

_LAST = """
    create table last as
    select user_id, title_id, arg_max(rating, rated_at * 65536 + movie_id % 65536) as rating
    from ratings inner join links using (movie_id) group by all order by user_id, title_id
"""


def run(source: Path, out: Path) -> dict[str, object]:
    """Do each part once; what it needs beside (titles, links) is made outside its time."""
    watch, start = Stopwatch(), time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    ratings = next(p for name in ("ratings.csv", "ratings_small.csv") if (p := source / name).exists())
    landed = out / "ratings.parquet"
    titles = clean_titles(read_titles(source), {})
    tags = titles[["id", "genres"]].explode("genres").drop_duplicates()  # noqa: F841 - DuckDB reads it by name
    links = read_links(source).dropna().astype("int32")  # noqa: F841 - likewise
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    connection.execute("set preserve_insertion_order = false")
    with watch.stage("ratings, CSV to Parquet"):
        connection.execute(
            "copy (select userId as user_id, movieId as movie_id, rating::double as rating, "
            f"timestamp::bigint as rated_at from read_csv('{ratings}')) to '{landed}' (compression zstd)"
        )
    connection.execute(f"create view ratings as from '{landed}'")
    connection.execute(
        "create table links as select movieId as movie_id, tmdbId as title_id from links "
        "semi join tags on links.tmdbId = tags.id"
    )
    with watch.stage("last rating of each user and title, sorted"):
        connection.execute(_LAST)
    flags = "pivot tags on genres using count(*) > 0 group by id"
    connection.execute(f"create table flags as select id, columns(* exclude id)::double from ({flags})")
    of_genres = [name for name, *_ in connection.execute("describe flags").fetchall()][1:]
    sums = ", ".join(
        f'sum("{name}") as cnt_{i}, sum("{name}" * rating) as sum_{i}' for i, name in enumerate(of_genres)
    )
    with watch.stage("counts and sums of each genre by user"):
        connection.execute(
            f"create table stats as select user_id, {sums} from last inner join flags on title_id = id group by 1"
        )
    stats = pl.DataFrame(
        connection.sql("select * exclude user_id from stats order by user_id").to_arrow_table()
    )
    counts = stats.select(pl.col("^cnt_.*$")).to_numpy()
    means = np.divide(
        stats.select(pl.col("^sum_.*$")).to_numpy(), counts, out=np.zeros_like(counts), where=counts > 0
    )
    for columns in (np.hstack([counts, means]), means):
        X = StandardScaler().fit_transform(columns).astype(np.float32)
        with watch.stage(f"one K-Means start for each k, {X.shape[1]} columns"):
            for k in CANDIDATES:
                KMeans(k, n_init=1, random_state=0).fit(X)
    return {"seconds": time.perf_counter() - start, "stages": watch.stages}


def main() -> int:
    """Run it on a folder."""
    parser = argparse.ArgumentParser(description="The parts of a run by hand.")
    parser.add_argument("--source", type=Path, required=True, help="folder with the three raw CSV files")
    parser.add_argument("--out", type=Path, required=True, help="folder for the Parquet file")
    parser.add_argument("--json", type=Path, help="where to write the stages")
    options = parser.parse_args()
    finish(run(options.source, options.out), options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
