"""What is asked of audiences by rule: sizes, waterfall, overlap, sizes over time, and who a rule that is built finds.

Belongs here: SQL over the published tables, and the tables that a rule over them can ask. Does not belong here: what a
rule means (`ml.audiences`), charts, pages.
"""

from collections.abc import Sequence

import polars as pl

from ml.audiences.compile import DEPARTURE, EVERYBODY, SEGMENT_MEMBERS, Compiled, Tables
from published.sets import PublishedSet

_CUSTOMERS = """(
    select distinct entity_id as customer_id from segment_members
    where segmentation in (select segmentation from segmentations where entity = 'customer_id')
)"""


def audiences(data: PublishedSet) -> pl.DataFrame:
    """Return every audience, those with a priority first, in their order."""
    return data.ask("select * from audiences order by priority nulls last, members desc, audience")


def waterfall(data: PublishedSet, audience: str) -> pl.DataFrame:
    """Return the steps of an audience."""
    return data.ask(
        "select * from audience_waterfall where audience = $audience order by step", audience=audience
    )


def overlap(data: PublishedSet, entity: str) -> pl.DataFrame:
    """Return audience, other, shared and lost_to_other of the audiences of an entity; none with itself."""
    return data.ask(
        """
        select overlap.*
        from audience_overlap as overlap
        inner join audiences using (audience)
        inner join audiences as others on others.audience = overlap.other
        where audiences.entity = $entity
        order by
            audiences.priority nulls last, overlap.audience, others.priority nulls last, overlap.other
        """,
        entity=entity,
    )


def sizes(data: PublishedSet) -> pl.DataFrame:
    """Return audience, moment and members after each run that changed one, with every audience at every time.

    Of those that are declared today and ever had a member.
    """
    return data.ask(
        """
        with declared as (select * from audience_history semi join audiences using (audience)),
        moments as (
            select entered_at as moment from declared
            union
            select left_at from declared where left_at is not null
        ),
        named as (select distinct audience from declared)
        select named.audience, moments.moment, count(history.entity_id) as members
        from named
        cross join moments
        left join declared as history
            on history.audience = named.audience
            and history.entered_at <= moments.moment and coalesce(history.left_at > moments.moment, true)
        group by all
        order by audience, moment
        """
    )


def tables(data: PublishedSet) -> Tables:
    """Return what a rule can be about in a published set: segments, what is known of users, scores."""
    described = {
        table: data.ask(f"select column_name, column_type from (describe {_named(table)})").rows()
        for table in (EVERYBODY["user_id"], SEGMENT_MEMBERS, DEPARTURE)
        if _named(table) in data.columns
    }
    columns: dict[str, dict[str, str]] = {table: dict(rows) for table, rows in described.items()}

    def values(table: str, column: str, segmentation: str | None = None) -> set[str]:
        where = f'"{column}" is not null' + (" and segmentation = $segmentation" if segmentation else "")
        given = {"segmentation": segmentation} if segmentation else {}
        found = data.ask(f'select distinct "{column}" from {_named(table)} where {where}', **given)
        return set(found.to_series())

    return Tables({**columns, EVERYBODY["customer_id"]: {"customer_id": "VARCHAR"}}, values, named=_named)


def _named(table: str) -> str:
    return _CUSTOMERS if table == EVERYBODY["customer_id"] else table.split(".")[1]


def kept(data: PublishedSet, compiled: Compiled) -> Sequence[int]:
    """Return how many people there are, and how many are left after each step of a rule."""
    return data.ask(f"with judged as ({compiled.judged}) {compiled.counted}").row(0)


def choices(data: PublishedSet, entity: str) -> dict[str, list[str]]:
    """Return the segmentations of an entity with the names of their segments."""
    found = data.ask(
        "select segmentation, segment_name from segments where entity = $entity order by segmentation, segment_id",
        entity=entity,
    )
    return {
        str(segmentation): names
        for segmentation, names in found.group_by("segmentation", maintain_order=True)
        .agg("segment_name")
        .iter_rows()
    }
