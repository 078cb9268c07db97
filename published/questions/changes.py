"""What is asked to see what changed: of two sets, and of who was in which segment when.

Belongs here: SQL over figures at a glance, runs and the history of members. Does not belong here: what a comparison
says (`ml.plots.changes`).
"""

from datetime import datetime
from typing import Any

import polars as pl

from published.errors import TableError
from published.people import hide_folders
from published.questions import quality
from published.sets import PublishedSet

_THERE = "entered_at <= $moment and coalesce(left_at > $moment, true)"


def compared(data: PublishedSet) -> dict[str, Any]:
    """Return what is compared of a set: its `source` in words, `published_at` and `marts` by name.

    A table that cannot be read is left out.
    """
    asked = {
        "segments": lambda: data.ask("select * from segments"),
        "recommender_metrics": lambda: data.ask("select * from recommender_metrics"),
        "data_funnel": lambda: quality.funnel(data),
        "landing_manifest": lambda: quality.files(data),
        # The newest run on top is the one that published the set; sets of earlier versions say nothing of runs.
        "runs": lambda: data.ask("select source from runs limit 1"),
    }
    marts = {}
    for table, question in asked.items():
        try:
            marts[table] = question()
        except TableError:
            continue
    runs = marts.pop("runs", pl.DataFrame())
    source = runs["source"].item() if len(runs) else None
    return {
        "source": None if source is None else hide_folders(source),  # earlier versions say where it lay
        "published_at": data.published_at,
        "marts": marts,
    }


def runs_of_source(data: PublishedSet) -> pl.DataFrame:
    """Return run_id, source and ended_at (UTC) of the runs that published from the source of this set, newest first."""
    return data.ask(
        """
        select run_id, source, ended_at
        from runs
        where status = 'published'
            -- Earlier versions say where the source lay; its name is at the end.
            and regexp_extract(source, $name) is not distinct from (
                select regexp_extract(source, $name) from runs limit 1
            )
        order by ended_at desc
        """,
        name=r"[^/\\]*$",
    )


def segments_at(data: PublishedSet, moment: datetime) -> pl.DataFrame:
    """Return segmentation, segment_id, segment_name, members and share as they were at a moment (UTC)."""
    return data.ask(
        f"""
        select
            segmentation, segment_id, segment_name, count(*) as members,
            count(*) / sum(count(*)) over (partition by segmentation) as share
        from membership_history
        where {_THERE}
        group by segmentation, segment_id, segment_name
        order by segmentation, segment_id
        """,
        moment=moment,
    )


def moves_since(data: PublishedSet, segmentation: str, moment: datetime) -> pl.DataFrame:
    """Return who went from which segment to which since a moment (UTC), in the columns of `segment_migration`."""
    return data.ask(
        f"""
        with was as (
            select entity_id, segment_id, segment_name
            from membership_history
            where segmentation = $segmentation and {_THERE}
        ),
        now as (
            select entity_id, segment_id, segment_name
            from membership_history
            where segmentation = $segmentation and left_at is null
        )
        select
            was.segment_id as from_segment_id,
            was.segment_name as from_segment_name,
            now.segment_id as to_segment_id,
            now.segment_name as to_segment_name,
            count(*) as entities,
            if(was.segment_id is null, null, count(*) / sum(count(*)) over (partition by was.segment_id))
                as share_of_from
        from was full join now using (entity_id)
        group by was.segment_id, was.segment_name, now.segment_id, now.segment_name
        order by from_segment_id nulls last, to_segment_id nulls last
        """,
        segmentation=segmentation,
        moment=moment,
    )


def sizes_over_runs(data: PublishedSet, segmentation: str) -> pl.DataFrame:
    """Return ended_at, segment_id, segment_name and members of each segment at the end of each run of this source."""
    sizes = [
        segments_at(data, ended_at)
        .filter(segmentation=segmentation)
        .select(pl.lit(ended_at).alias("ended_at"), "segment_id", "segment_name", "members")
        for ended_at in runs_of_source(data)["ended_at"].reverse()
    ]
    return pl.concat(sizes) if sizes else pl.DataFrame()
