"""The same ratings with users called by whole numbers and by UUIDs: what landing and segmenting each costs.

Belongs here: the two forms, and their comparison. Does not belong here: how a command is measured (`measure`).

The seconds compared are those of CPU, user and system: what else the machine does counts little then.
"""

import argparse
import multiprocessing
import shutil
import sys
from pathlib import Path

import duckdb
from measure import GIB, Measurement, measure, must_succeed, table

FORMS = {"numbers": "userId", "uuids": "md5(userId::VARCHAR)::UUID::VARCHAR"}
TOGETHER = "landing and segments"
LAND = (
    "import sys; from pathlib import Path; from ingest.contracts import RATINGS; "
    "from ingest.landing import land_file; land_file(RATINGS, Path(sys.argv[1]), Path(sys.argv[2]))"
)


def write_form(source: Path, to: Path, user: str) -> None:
    """Write the three files of a form, its ratings in no order."""
    to.mkdir(parents=True, exist_ok=True)
    for name in ("movies_metadata.csv", "links.csv"):
        shutil.copyfile(source / name, to / name)
    duckdb.execute(
        f"COPY (SELECT {user} AS userId, movieId, rating, timestamp FROM read_csv($source) "
        "ORDER BY hash(userId, movieId, timestamp)) TO $to (HEADER)",
        {"source": str(source / "ratings.csv"), "to": str(to / "ratings.csv")},
    )


def cost_of(folder: Path) -> dict[str, Measurement]:
    """Land the ratings of a form, and run Matinee on it in a warehouse that did not exist before."""
    landing, warehouse = folder / "landing", folder / "warehouse"
    matinee = str(Path(sys.executable).with_name("matinee"))
    run = [matinee, "run", "--job", "segments", "--source", str(folder), "--warehouse", str(warehouse)]
    commands = {
        "landing": [sys.executable, "-c", LAND, str(folder / "ratings.csv"), str(landing)],
        TOGETHER: run,
    }
    costs = {}
    for what, command in commands.items():
        log = folder / "log.txt"
        costs[what] = must_succeed(measure(command, log=log), log)
        shutil.rmtree(landing, ignore_errors=True)
        shutil.rmtree(warehouse, ignore_errors=True)
    return costs


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare ratings by UUIDs with the same by whole numbers.")
    parser.add_argument("--source", type=Path, required=True, help="folder with the raw CSV files")
    parser.add_argument("--out", type=Path, required=True, help="folder for both forms")
    parser.add_argument("--at-most", type=float, default=1.5, help="exit 1 above this ratio of both together")
    options = parser.parse_args()
    costs, spawn = {}, multiprocessing.get_context("spawn")
    for form, user in FORMS.items():
        # In a process of its own: Linux counts what a parent holds as the peak of its child.
        writing = spawn.Process(target=write_form, args=(options.source, options.out / form, user))
        writing.start()
        writing.join()
        costs[form] = cost_of(options.out / form)
    rows, worst = [], 0.0
    for what, numbers in costs["numbers"].items():
        uuids = costs["uuids"][what]
        for unit, one, other in (
            ("seconds of CPU", numbers.cpu_seconds, uuids.cpu_seconds),
            ("peak memory, GiB", numbers.peak_rss_bytes / GIB, uuids.peak_rss_bytes / GIB),
        ):
            worst = max(worst, other / one) if what == TOGETHER else worst
            rows.append([f"{what}: {unit}", f"{one:.2f}", f"{other:.2f}", f"{other / one:.2f}"])
    print(table(["", "whole numbers", "UUIDs", "ratio"], rows))
    return 1 if worst > options.at_most else 0


if __name__ == "__main__":
    raise SystemExit(main())
