"""The demo world's ratings in the form of MovieLens 25M: `python benchmarks/movielens_form.py FROM TO`."""

import sys
import tempfile
from pathlib import Path

import duckdb

from ingest.contracts import CONTRACTS
from ingest.landing import land_file

MOVIES = """
    select rated_id as movieId, title || coalesce(' (' || year(release_date) || ')', '') as title,
        coalesce(nullif(array_to_string(genres, '|'), ''), '(no genres listed)') as genres
    from '{links}' join (select distinct on (title_id) * from '{titles}') using (title_id)
    where title is not null order by rated_id
"""


def main() -> None:
    source, to = map(Path, sys.argv[1:])
    to.mkdir(parents=True)
    (to / "ratings.csv").hardlink_to(source / "ratings.csv")
    (to / "links.csv").hardlink_to(source / "links.csv")
    with tempfile.TemporaryDirectory() as work, duckdb.connect() as connection:
        files = {"links": "links.csv", "titles": "movies_metadata.csv"}
        landed = {
            table: land_file(CONTRACTS[table], source / name, Path(work)).path
            for table, name in files.items()
        }
        connection.execute(f"copy ({MOVIES.format(**landed)}) to '{to / 'movies.csv'}' (header)")


if __name__ == "__main__":
    main()
