"""The same audience three and ten times: whether a run finishes out of core, and what it costs for each rating.

Belongs here: a source with every user several times over, a run on each. Does not belong here: how a command is
measured (`measure`).

A copy of a user rates what the user rated, under an id of its own: users and ratings grow, titles stay as many. With
`--engine duckdb spark` each size is run on both, one after the other. Of Spark's run the CPU is that of its Python
alone: Java is no child that ends before it does.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import duckdb
from measure import GIB, PROJECT_ROOT, link_all_but_ratings, must_succeed, new_places, table
from measure import measure as measured


def multiply(source: Path, out: Path, times: int) -> int:
    """Write the source with each user so many times to `out` and return how many ratings that is."""
    link_all_but_ratings(source, out)
    with duckdb.connect() as connection:
        rows = f"read_csv('{source / 'ratings.csv'}', header = true)"
        (most,) = connection.execute(f"select max(userId) from {rows}").fetchall()[0]
        connection.execute(
            f"copy (select ratings.* replace (userId + copies.i * {most} as userId) "
            f"from {rows} as ratings cross join range({times}) as copies(i)) to '{out / 'ratings.csv'}' (header)"
        )
        return int(connection.execute(f"select count(*) * {times} from {rows}").fetchall()[0][0])


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure Matinee on an audience several times over.")
    parser.add_argument("--source", type=Path, required=True, help="folder with the raw CSV files")
    parser.add_argument("--out", type=Path, default=PROJECT_ROOT / "warehouse" / "benchmark")
    parser.add_argument("--job", default="segments", help="`refresh` trains the recommender, too")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--engine", choices=["duckdb", "spark"], nargs="+", default=["duckdb"])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    results = []
    for times in options.times:
        scratch = Path(tempfile.mkdtemp(prefix="scale-", dir=options.out.resolve()))
        try:
            ratings = multiply(options.source, scratch / "source", times)
            command = [sys.executable, "-m", "orchestration", "run", "--job", options.job, "--allow-rejects"]
            command += ["--source", str(scratch / "source")]
            for engine in options.engine:
                log = options.out / f"scale-{times}-{engine}.log"
                (scratch / engine).mkdir()
                environment = new_places(scratch / engine) | {"MATINEE_ENGINE": engine}
                cost = must_succeed(
                    measured(command, environment=environment, log=log, cwd=PROJECT_ROOT), log
                )
                shutil.rmtree(scratch / engine)
                results.append({"times": times, "ratings": ratings, "engine": engine, **asdict(cost)})
                print(f"{ratings:,} on {engine}: {cost.wall_seconds:,.0f} s", file=sys.stderr, flush=True)
        finally:
            shutil.rmtree(scratch)
    rows = [
        [
            f"{result['ratings']:,}",
            result["engine"],
            f"{result['wall_seconds']:,.0f}",
            f"{result['ratings'] / result['wall_seconds'] / (os.cpu_count() or 1):,.0f}",
            f"{result['cpu_seconds']:,.0f}",
            f"{result['cpu_seconds'] / result['ratings'] * 1e6:.2f}",
            f"{result['peak_rss_bytes'] / GIB:.2f}",
        ]
        for result in results
    ]
    costs = ["seconds", "ratings a second and core", "CPU", "CPU for a million ratings", "peak GiB"]
    print(table(["ratings", "engine", *costs], rows))
    (options.out / "scale.json").write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
