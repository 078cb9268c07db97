"""What is asked to build a list of people: how many a choice leaves, in which segments, who they are.

Belongs here: SQL over members and what is known of users. Does not belong here: which lists are given out, files,
pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from published.questions import segments as questions
from published.sets import PublishedSet

USERS = "user_id"
"""The entity whose attributes are published."""
ONE_OF = {"subscription": "Subscription", "region": "Region", "favourite_device": "Mostly on"}
SOME_OF = {"favourite_genres": "Favourite genres"}
AT_LEAST = {"total_ratings": "Ratings", "mean_rating": "Mean rating", "events": "Views", "minutes": "Minutes"}
SINCE = {"joined_on": "Joined on"}
ATTRIBUTES = {**ONE_OF, **SOME_OF, **AT_LEAST, **SINCE}
"""Column of users to what it is called, by how people choose among its values."""


@dataclass(frozen=True)
class Membership:
    """Segments of one segmentation, any of which will do, and levels of those; none named: all."""

    segmentation: str
    segment_ids: Sequence[int] = ()
    levels: Sequence[str] = ()


@dataclass(frozen=True)
class Choice:
    """Who is on a list: an entity that meets all of these.

    Attributes
    ----------
    entity : `user_id`.
    memberships : one per segmentation.
    among : attribute to values, one of which it has.
    least : attribute to a number or day that it reaches.
    """

    entity: str
    memberships: Sequence[Membership] = ()
    among: Mapping[str, Sequence[str]] = field(default_factory=dict)
    least: Mapping[str, float | date] = field(default_factory=dict)


def segmentations(data: PublishedSet) -> dict[str, list[str]]:
    """Return entity to the segmentations that divide it, people only: titles are nobody to write to."""
    rows = data.ask("select distinct segmentation, entity from segments where entity <> 'title_id'")
    entities = dict(rows.iter_rows())
    found: dict[str, list[str]] = {}
    for segmentation in questions.segmentations(data):
        if segmentation in entities:
            found.setdefault(entities[segmentation], []).append(segmentation)
    return found


def levels(data: PublishedSet, segmentation: str) -> list[str]:
    """Return the levels that members of a segmentation have, the lowest first."""
    if not (data.has("segment_members", "level") and data.has("segment_levels")):
        return []
    rows = data.ask(
        "select level from segment_levels where segmentation = $segmentation"
        " group by level order by min(above) nulls first",
        segmentation=segmentation,
    )
    return rows["level"].to_list()


def attributes(data: PublishedSet) -> list[str]:
    """Return the attributes that the source says of any user."""
    if not data.has("users"):
        return []
    # A count of nothing is no news of anybody.
    known = ", ".join(
        f"count(nullif({column}, 0)) > 0 as {column}"
        if column in AT_LEAST
        else f"count({column}) > 0 as {column}"
        for column in ATTRIBUTES
    )
    row = data.ask(f"select {known} from users").row(0, named=True)
    return [column for column in ATTRIBUTES if row[column]]


def values(data: PublishedSet, attribute: str) -> list[str]:
    """Return the values of an attribute of users that is one or some of a few, by name."""
    one = f"unnest(string_split({attribute}, ', '))" if attribute in SOME_OF else attribute
    rows = data.ask(f"select distinct {one} as value from users where {attribute} is not null order by value")
    return rows["value"].to_list()


def count(data: PublishedSet, choice: Choice) -> int:
    """Return how many are on a list."""
    listed, given = _listed(choice)
    return int(data.ask(f"select count(*) as found from ({listed})", **given)["found"].item())


def members(
    data: PublishedSet,
    choice: Choice,
    *,
    segmentations: Sequence[str],
    attributes: Sequence[str] = (),
    minimum: int,
    most: int | None = None,
) -> pl.DataFrame:
    """Return who is on a list.

    Parameters
    ----------
    data
        The set.
    choice
        Who.
    segmentations
        Whose segment is told of each, and the level where there is one.
    attributes
        What is told of users.
    minimum
        Members from which a segment is named.
    most
        Rows; all unless given.

    Returns
    -------
    The entity, a column per segmentation with the segment's name (`user_taste`), one with the level where it has levels
    (`user_taste_level`), and the attributes.
    """
    listed, given = _listed(choice)
    columns, joins = [f"listed.entity_id as {choice.entity}"], []
    for i, segmentation in enumerate(segmentations):
        given[f"of_{i}"] = segmentation
        levelled = bool(levels(data, segmentation))
        joins.append(f"""
            left join (
                select entity_id, own.segment_name, {"own.level" if levelled else "null"} as level
                from segment_members as own inner join segments using (segmentation, segment_id)
                where segmentation = $of_{i} and segments.members >= $minimum
            ) as of_{i} on of_{i}.entity_id = listed.entity_id""")
        columns.append(f'of_{i}.segment_name as "{segmentation}"')
        columns += [f'of_{i}.level as "{segmentation}_level"'] if levelled else []
    if attributes:
        joins.append("left join users on users.user_id = listed.entity_id")
        columns += [f"users.{attribute}" for attribute in attributes]
    if segmentations:
        given["minimum"] = minimum
    limit = "" if most is None else f"limit {most:d}"
    return data.ask(
        f"select {', '.join(columns)} from ({listed}) as listed {' '.join(joins)}"
        f" order by try_cast(listed.entity_id as bigint), listed.entity_id {limit}",
        **given,
    )


def _listed(choice: Choice) -> tuple[str, dict]:
    """Return the question for the ids on a list, and its values."""
    given: dict = {"entity": choice.entity}
    of_entity = "select segmentation from segments where entity = $entity"
    conditions = [f"segmentation in ({of_entity})"]
    for i, membership in enumerate(choice.memberships):
        given[f"in_{i}"] = membership.segmentation
        own = [f"segmentation = $in_{i}"]
        if membership.segment_ids:
            given[f"ids_{i}"] = list(membership.segment_ids)
            own.append(f"list_contains($ids_{i}, segment_id)")
        if membership.levels:
            given[f"levels_{i}"] = list(membership.levels)
            own.append(f"list_contains($levels_{i}, level)")
        conditions.append(f"entity_id in (select entity_id from segment_members where {' and '.join(own)})")
    has = []
    for attribute, wanted in choice.among.items():
        given[attribute] = list(wanted)
        own_values = f"string_split({attribute}, ', ')" if attribute in SOME_OF else f"[{attribute}]"
        has.append(f"list_has_any({own_values}, ${attribute})")
    for attribute, least in choice.least.items():
        given[attribute] = least
        has.append(f"{attribute} >= ${attribute}")
    if has:
        conditions.append(f"entity_id in (select user_id from users where {' and '.join(has)})")
    return f"select distinct entity_id from segment_members where {' and '.join(conditions)}", given
