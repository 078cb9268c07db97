"""Who is in an export and what is told of them, asked of one published set.

Belongs here: the question, and the words where the set cannot answer it. Does not belong here: what of the answer
is new (`changes`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import polars as pl

from ingest.sql import identifier
from ingest.suppressing import KIND_OF, Suppressed
from ml.recommendation.nearest import nearest_names
from orchestration.tasks.exporting.changes import WHO
from orchestration.tasks.exporting.declaration import Column, Export
from orchestration.tasks.exporting.errors import ExportError
from published.sets import PublishedSet


@dataclass(frozen=True)
class Members:
    """The members of an export's audiences.

    Attributes
    ----------
    entity : what their id is called: user_id, customer_id.
    rows : audience, entity_id and the declared columns of those who are sent.
    everybody : audience, entity_id, held_out.
    """

    entity: str
    rows: pl.DataFrame
    everybody: pl.DataFrame


def members_of(export: Export, data: PublishedSet, suppressed: Suppressed) -> Members:
    """Return who is in an export, without those who were forgotten.

    Raises
    ------
    ExportError
        When the set has no such audience, segmentation or attribute; the message names the nearest.
    PublishedError
        When the set lacks a table, or one is damaged.
    """
    if "audience_members" not in data.columns:
        raise ExportError("the published set has no audiences; `matinee run` publishes them.")
    entity = _entity(export, data)
    question = _Question(data, entity)
    chosen = question.value(list(export.audiences))
    who = f"select distinct audience, entity_id, held_out from audience_members where list_contains({chosen}, audience)"
    if kind := KIND_OF.get(entity):
        forgotten = question.value(sorted(suppressed.of(kind)))
        who += f" and not list_contains({forgotten}::varchar[], {suppressed.hash_sql(kind, 'entity_id')})"
    everybody = data.ask(who, **question.values)
    columns = [part for column in export.columns for part in question.columns(column)]
    selected = ", ".join(["who.audience", "who.entity_id", *columns])
    joins = "".join(question.joins)
    rows = data.ask(
        f"with who as ({who}) select {selected} from who{joins} where not who.held_out order by 1, 2",
        **question.values,
    )
    for column in export.columns:
        if column.is_hashed and len(rows) and rows[column.names[0]].null_count() == len(rows):
            what = "an e-mail address" if column.email else "a telephone number with its country"
            raise ExportError(
                f"nobody's {column.of} is {what}, so there is nothing to send as {column.kind}."
            )
    if export.is_ads:
        names = export.value_names
        rows = rows.filter(pl.any_horizontal(pl.col(names).is_not_null())).unique(
            names, keep="first", maintain_order=True
        )
    twice = rows.filter(rows.select(WHO).is_duplicated())
    if len(twice):
        raise ExportError("a published table has two rows of one member; `matinee run` publishes it anew.")
    return Members(entity, rows, everybody)


class _Question:
    """SQL over the set, put together of columns; whatever comes from a declaration is a value or a quoted name."""

    def __init__(self, data: PublishedSet, entity: str) -> None:
        self._data, self._entity = data, entity
        self.values: dict[str, Any] = {}
        self.joins: list[str] = []

    def value(self, value: Any) -> str:
        """Return what stands for a value in the SQL."""
        name = f"value_{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def columns(self, column: Column) -> list[str]:
        """Return the expressions of a declared column, each with its name."""
        if column.kind in ("segment", "level"):
            expressions = [self._segment(column.of, "segment_name" if column.segment else "level")]
        elif self._entity != "user_id":
            raise ExportError(f"only users have {column.kind}; members here are known by {self._entity}.")
        elif column.score:
            expressions = [f"{self._joined('departure', 'leaving')}.{column.score}"]
        elif column.recommendations:
            table = self._joined(_best(column.recommendations), "best")
            expressions = [f"{table}.{name}" for name in column.names]
        else:
            attribute = self._attribute(column.of)
            expressions = [_hashed(column, attribute) if column.is_hashed else attribute]
        return [f"{part} as {identifier(name)}" for part, name in zip(expressions, column.names, strict=True)]

    def _joined(self, rows: str, alias: str) -> str:
        join = f" left join {rows} as {alias} on {alias}.user_id = who.entity_id"
        if join not in self.joins:
            self.joins.append(join)
        return alias

    def _segment(self, segmentation: str, column: str) -> str:
        known = self._data.ask("select distinct segmentation from segment_members")["segmentation"]
        if segmentation not in known:
            _unknown("segmentation", segmentation, known)
        if self._data.has("segments", "entity"):
            asked = (
                "select entity from segments where segmentation = $segmentation and entity <> $entity limit 1"
            )
            if len(others := self._data.ask(asked, segmentation=segmentation, entity=self._entity)):
                raise ExportError(
                    f"the segmentation {segmentation} is of {others.item()}; members here are known by {self._entity}."
                )
        alias = f"segments_{len(self.joins)}"
        self.joins.append(
            f" left join segment_members as {alias} on {alias}.entity_id = who.entity_id"
            f" and {alias}.segmentation = {self.value(segmentation)}"
        )
        return f"{alias}.{column}"

    def _attribute(self, name: str) -> str:
        known = self._data.columns.get("users", frozenset())
        if name not in known:
            _unknown("attribute", name, known)
        return f"{self._joined('users', 'known')}.{identifier(name)}"


def _best(most: int) -> str:
    """Return the SQL of the best titles, a row for each user."""
    titles = ", ".join(
        f"any_value({what}) filter (where rank = {place}) as {what}_{place}"
        for place in range(1, most + 1)
        for what in ("title", "title_id")
    )
    return f"(select user_id, {titles} from recommendations where rank <= {most} group by user_id)"


def _hashed(column: Column, attribute: str) -> str:
    """Return the hash of an address or a number as ad platforms normalise it; NULL for what is none."""
    text = f"lower(regexp_replace({attribute}::varchar, '\\s', '', 'g'))"
    if column.email:
        return f"case when regexp_full_match({text}, '[^@]+@[^@]+\\.[^@.]+') then sha256({text}) end"
    digits = f"regexp_replace({attribute}::varchar, '[^0-9+]', '', 'g')"
    national = f"'+{column.calling_code}' || ltrim({digits}, '0')" if column.calling_code else "NULL"
    number = (
        f"case when {digits} like '+%' then {digits} when {digits} like '00%' then '+' || substr({digits}, 3)"
        f" else {national} end"
    )
    return f"case when regexp_full_match({number}, '\\+[1-9][0-9]{{7,14}}') then sha256({number}) end"


def _entity(export: Export, data: PublishedSet) -> str:
    """Return what the ids of the audiences' members are called."""
    known = data.ask("select distinct audience from audience_members")["audience"].to_list()
    entities = {"user_id"}
    if data.has("audiences", "entity"):
        declared = data.ask("select audience, entity from audiences")
        known = [*known, *declared["audience"]]
        entities = set(declared.filter(pl.col("audience").is_in(export.audiences))["entity"])
    for audience in export.audiences:
        if audience not in known:
            _unknown("audience", audience, known)
    if len(entities) > 1:
        raise ExportError(f"audiences of {' and '.join(sorted(entities))} do not go into one list.")
    return next(iter(entities), "user_id")


def _unknown(what: str, name: str, known: Iterable[str]) -> NoReturn:
    names = sorted(set(known))
    near = nearest_names(name, names) or names
    there_are = f"there are: {', '.join(near)}" if near else f"the set has no {what}s"
    raise ExportError(f"no {what} {name!r} is published; {there_are}.")
