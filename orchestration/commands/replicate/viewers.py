"""The viewer analysis twice: through the published join and through the right one.

Belongs here: the two warehouses and what is printed of them. Does not belong here: the method
(`ml.replication.viewers`), figures and verdicts (`compare`).
"""

from pathlib import Path

import pandas as pd
import polars as pl
from rich.console import Console

from ingest.rawfiles import RawFile, unpack
from ml.replication.viewers import activity_figures, catalogue_figures, ratings_figures
from orchestration.commands.replicate.compare import Comparison, compare, load_viewer_figures
from orchestration.commands.replicate.show import show
from orchestration.commands.replicate.trust import show_trust
from orchestration.commands.replicate.warehouse import Replica, ReplicationError, build_replica
from orchestration.progress import doing
from orchestration.settings import Settings
from orchestration.stores.layout import WarehouseLayout

_LARGEST_K = 10


def replicate_viewers(console: Console, settings: Settings, base: WarehouseLayout) -> list[Comparison]:
    """Run both joins, print them and return every comparison."""
    published, direct, replica = _figures("direct", settings, base)
    corrected, linked, through = _figures("links", settings, base)
    ratings_read = replica.rows_read["ratings"]
    known = load_viewer_figures()
    as_published = compare(known, published, ratings_read=ratings_read, right_join=False)
    show(
        console,
        "The published method, faults included (ratings.movieId joined to the catalogue's id)",
        as_published,
    )
    console.print(
        "\nMovieLens ids are not TMDB ids: the join above puts every rating on another film."
        " Below, the same figures through links.csv.\n"
    )
    through_links = compare(known, corrected, ratings_read=ratings_read, right_join=True)
    own = ("catalogue.", "tags.", "links.")
    joined = [row for row in through_links if not row.figure.key.startswith(own)]
    show(console, "The same figures through the right join", joined, beside=published)
    pairs = replica.read(
        "select user_id, title_id, arg_max(rating, rated_at) as rating from landing.ratings group by all order by all"
    )
    by_link = through.read("select rated_id, title_id from landing.links").join(
        _genres(through), on="title_id"
    )
    genres = by_link.select(pl.col("rated_id").alias("title_id"), "genre")
    show_trust(console, (direct, _genres(replica)), (linked, genres), pairs)
    return [*as_published, *joined]


def _figures(
    join: str, settings: Settings, base: WarehouseLayout
) -> tuple[dict[str, float], pl.DataFrame, Replica]:
    """Return the figures by a join, the features they are of, and the warehouse."""
    # The key-meaning test would stop the direct join, as it should: here the fault is wanted.
    selection = ["--select", "+user_genre_stats", "--exclude", "tag:key_meaning"]
    replica = build_replica(
        WarehouseLayout(base.root / join), settings, [*selection, "--vars", f"rating_join: {join}"]
    )
    features = replica.read("select * from features.user_genre_stats order by user_id")
    if len(features) <= _LARGEST_K:
        msg = f"only {len(features)} users are left after the join; the published method needs more than {_LARGEST_K}"
        raise ReplicationError(msg)
    genres = replica.read("select genre_label from intermediate.int_genres__columns")["genre_label"].to_list()
    raw = replica.files["titles"]
    figures = catalogue_figures(_raw_column(raw, "genres", replica), genres)
    figures |= _ids(replica)
    figures |= {
        "join.ratings": int(features["total_ratings"].sum()),
        "join.users": len(features),
        "join.pairs": int(features["total_titles"].sum()),
    }
    with doing("repeating the published fits"):
        figures |= activity_figures(features) | ratings_figures(features)
    return figures, features, replica


def _genres(replica: Replica) -> pl.DataFrame:
    """Return the genres of each title, one row each."""
    names = replica.read("select genre from intermediate.int_genres__columns order by all")["genre"]
    flags = ", ".join(f"is_{name} as {name}" for name in names)
    titles = replica.read(
        f"select title_id, {flags} from intermediate.int_titles__with_genres where is_first_of_title"
    )
    return titles.unpivot(index="title_id", variable_name="genre").filter(pl.col("value") == 1).drop("value")


def _ids(replica: Replica) -> dict[str, float]:
    """Count repeated ids of the catalogue, and links between equal ids."""
    titles = replica.read(
        "select count(*) as rows, count(distinct title_id) as ids from intermediate.int_titles__with_genres"
    ).row(0, named=True)
    links = replica.read(
        "select count(*) as rows, count(*) filter (rated_id = title_id) as same from landing.links"
    ).row(0, named=True)
    return {
        "catalogue.ids_with_genre": titles["ids"],
        "catalogue.repeated_rows": titles["rows"] - titles["ids"],
        "links.rows": links["rows"],
        "links.same_id": links["same"],
    }


def _raw_column(file: RawFile, column: str, replica: Replica) -> list[str]:
    """Read a column as the published notebook did: straight from the file, bad rows and all."""
    packed = file.path.suffix in (".gz", ".zip")
    path: Path = unpack(file, replica.layout.temporary / "catalogue.csv") if packed else file.path
    if path.suffix == ".parquet":
        return pd.read_parquet(path, columns=[column])[column].tolist()
    return pd.read_csv(path, usecols=[column], dtype=str)[column].tolist()
