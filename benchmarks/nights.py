"""Nights with new ratings beside a night that makes everything anew: what each costs, and that both give the same.

Belongs here: a source divided into a first night and the files of later ones, Matinee run on them one after the other.
Does not belong here: how a command is measured (`measure`).

The ratings of a night are those of a share of the users (a third of what each gave): a day's ratings come from few
people, each of whom gives many. `--everybody` draws them from all users instead, the hardest case: then most users are
made anew.
"""

import argparse
import itertools
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
from measure import GIB, PROJECT_ROOT, link_all_but_ratings, must_succeed, new_places, table, warm
from measure import measure as measured

LATER = (("1 % new, by the hour", 0.01, ("--job", "update")), ("1 % new", 0.01, ()), ("10 % new", 0.1, ()))
"""Runs after the first night: their name, the share of the ratings that is new, options."""
DBT = ("dbt_build_before_ml", "dbt_build_after_ml")


def divide(source: Path, out: Path, *, everybody: bool) -> list[Path]:
    """Write the source of the first night to `out/first`, and return the file of each later night."""
    first = out / "first"
    link_all_but_ratings(source, first)
    by = "hash(userId, movieId, timestamp, 1)" if everybody else "hash(userId, 1)"
    also = "true" if everybody else "hash(userId, movieId, timestamp, 2) % 3 = 0"
    times = 1 if everybody else 3
    edges = [
        0,
        *(round(10_000 * times * share) for share in itertools.accumulate(share for _, share, _ in LATER)),
    ]
    nights = [
        f"({by} % 10000 >= {low} and {by} % 10000 < {high} and {also})"
        for low, high in itertools.pairwise(edges)
    ]
    files = [out / f"ratings_of_night_{at}.csv" for at in range(1, len(nights) + 1)]
    with duckdb.connect() as connection:
        rows = f"read_csv('{source / 'ratings.csv'}', header = true)"
        for file, wanted in [
            (first / "ratings.csv", f"not ({' or '.join(nights)})"),
            *zip(files, nights, strict=True),
        ]:
            connection.execute(f"copy (select * from {rows} where {wanted}) to '{file}' (header)")
    return files


class Nights:
    """A warehouse of its own, and what each run on it cost."""

    def __init__(self, out: Path, job: str) -> None:
        self.out, self.job = out, job
        self.environment = new_places(out)
        self.warehouse = Path(self.environment["MATINEE_WAREHOUSE"])
        self.results: list[dict[str, Any]] = []

    def run(self, name: str, *options: str) -> None:
        """Run the job, and keep what it cost under this name."""
        command = [sys.executable, "-m", "orchestration", "run", "--allow-rejects", "--job", self.job]
        command += [
            "--source",
            str(self.out / "first"),
            *options,
        ]  # of an option that is given twice the last counts
        log = self.out / f"{len(self.results)}.log"
        cost = must_succeed(measured(command, environment=self.environment, log=log, cwd=PROJECT_ROOT), log)
        stages = {}
        if "--if-new" not in options:
            run = json.loads((self.warehouse / "report" / "run.json").read_text())
            stages = {stage["name"]: stage["seconds"] for stage in run["stages"]}
        sql = sum(stages.get(name, 0) for name in DBT)
        self.results.append({"name": name, "sql_seconds": sql, "stages": stages, **asdict(cost)})
        print(f"{name}: {cost.wall_seconds:,.1f} s, SQL {sql:,.1f} s", file=sys.stderr, flush=True)

    def drop(self, file: Path) -> None:
        """Let a file arrive."""
        incoming = self.warehouse / "incoming" / "ratings"
        incoming.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, incoming / f".{file.name}")
        (incoming / f".{file.name}").rename(incoming / file.name)

    def keep(self, to: Path) -> None:
        """Copy the tables as they are now."""
        shutil.copy(self.warehouse / "matinee.duckdb", to)


def differing(grown: Path, anew: Path) -> list[str]:
    """Return the tables before ML that hold other rows in one database than in the other."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{grown}' as grown (read_only); attach '{anew}' as anew (read_only)")
        tables = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables where table_catalog = 'anew' "
            "and table_type = 'BASE TABLE' and table_schema in ('intermediate', 'features') order by all"
        ).fetchall()
        return [
            name
            for (name,) in tables
            if connection.execute(
                f"select exists(from grown.{name} except all from anew.{name}) "
                f"or exists(from anew.{name} except all from grown.{name})"
            ).fetchall()
            != [(False,)]
        ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure nights with new ratings beside a full rebuild.")
    parser.add_argument("--source", type=Path, required=True, help="folder with the raw CSV files")
    parser.add_argument("--out", type=Path, default=PROJECT_ROOT / "warehouse" / "benchmark")
    parser.add_argument("--job", default="segments", help="`refresh` trains the recommender, too")
    parser.add_argument("--everybody", action="store_true", help="the new ratings are of all users")
    parser.add_argument("--keep", action="store_true", help="keep the warehouse in --out")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warm(options.source)
    scratch = Path(tempfile.mkdtemp(prefix="nights-", dir=options.out.resolve()))
    try:
        nights = Nights(scratch, options.job)
        files = divide(options.source, scratch, everybody=options.everybody)
        nights.run("first night")
        nights.run("nothing new", "--if-new")
        for (name, _, how), file in zip(LATER, files, strict=True):
            nights.drop(file)
            nights.run(name, *how)
        nights.keep(scratch / "grown.duckdb")
        nights.run("everything anew", "--full-refresh")
        others = differing(scratch / "grown.duckdb", nights.warehouse / "matinee.duckdb")
    finally:
        if not options.keep:
            shutil.rmtree(scratch)
    first, anew = nights.results[0], nights.results[-1]
    cells = [
        [
            night["name"],
            f"{night['wall_seconds']:,.1f}",
            f"{night['wall_seconds'] / first['wall_seconds']:.0%}",
            f"{night['sql_seconds']:,.1f}",
            f"{night['sql_seconds'] / anew['sql_seconds']:.0%}",
            f"{night['cpu_seconds']:,.1f}",
            f"{night['cpu_seconds'] / first['cpu_seconds']:.0%}",
            f"{night['peak_rss_bytes'] / GIB:.2f}",
        ]
        for night in nights.results
    ]
    print(
        table(
            ["night", "seconds", "of the first", "SQL", "of all anew", "CPU", "of the first", "peak GiB"],
            cells,
        )
    )
    print(f"\nload average at the start: {nights.results[0]['load_before']:.1f}")
    print(f"tables that differ from those made anew: {', '.join(others) or 'none'}")
    (options.out / "nights.json").write_text(json.dumps(nights.results, indent=2) + "\n")
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
