"""What each part of a run costs at least: the same work by hand, with nothing kept, checked or recorded.

Belongs here: one query or one fit per part, in DuckDB and scikit-learn. Does not belong here: any code of Matinee's;
the cleaning of titles is the notebook's. `measure.py segments` sets the figures beside a run's.

Run it with `python benchmarks/floors.py --source FOLDER --out DIR`.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from plain_notebook import CANDIDATES, clean_titles, read_links, read_titles
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

_LAST = """
    create table last as
    select user_id, title_id, arg_max(rating, rated_at * 65536 + movie_id % 65536) as rating
    from ratings inner join links using (movie_id) group by all order by user_id, title_id
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    ratings = next(p for n in ("ratings.csv", "ratings_small.csv") if (p := options.source / n).exists())
    landed = options.out / "ratings.parquet"
    titles = clean_titles(read_titles(options.source), {})
    tags = titles[["id", "genres"]].explode("genres").drop_duplicates()  # noqa: F841 - DuckDB reads it by name
    links = read_links(options.source).dropna().astype("int32")  # noqa: F841 - likewise
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    connection.execute("set preserve_insertion_order = false")

    def query(text: str) -> Callable[[], object]:
        return lambda: connection.execute(text)

    found = {
        "ratings, CSV to Parquet": timed(
            query(
                "copy (select userId as user_id, movieId as movie_id, rating::double as rating, "
                f"timestamp::bigint as rated_at from read_csv('{ratings}')) to '{landed}' (compression zstd)"
            )
        )
    }
    connection.execute(f"create view ratings as from '{landed}'")
    connection.execute(
        "create table links as select movieId as movie_id, tmdbId as title_id from links "
        "semi join tags on links.tmdbId = tags.id"
    )
    found["last rating of each user and title, sorted"] = timed(query(_LAST))
    flags = "pivot tags on genres using count(*) > 0 group by id"
    connection.execute(f"create table flags as select id, columns(* exclude id)::double from ({flags})")
    of_genres = [name for name, *_ in connection.execute("describe flags").fetchall()][1:]
    sums = ", ".join(
        f'sum("{name}") as cnt_{i}, sum("{name}" * rating) as sum_{i}' for i, name in enumerate(of_genres)
    )
    found["counts and sums of each genre by user"] = timed(
        query(
            f"create table stats as select user_id, {sums} from last inner join flags on title_id = id group by 1"
        )
    )
    rows = connection.sql("select * exclude user_id from stats order by user_id").to_arrow_table()
    stats = pl.DataFrame(rows)
    counts = stats.select(pl.col("^cnt_.*$")).to_numpy()
    means = np.divide(
        stats.select(pl.col("^sum_.*$")).to_numpy(), counts, out=np.zeros_like(counts), where=counts > 0
    )
    for name, columns in (("40", np.hstack([counts, means])), ("20", means)):
        X = StandardScaler().fit_transform(columns).astype(np.float32)
        found[f"one K-Means start for each k, {name} columns"] = timed(
            lambda X=X: [KMeans(k, n_init=1, random_state=0).fit(X) for k in CANDIDATES]
        )
    print(json.dumps(found, indent=2))


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Return seconds by the clock and of the processor."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(time.process_time() - spent, 2),
    }


if __name__ == "__main__":
    main()
