"""An audience as SQL and in words: one DuckDB statement, and a sentence for each of its conditions.

Belongs here: what each condition means, quoting. Does not belong here: the schema (`ml.audiences.spec`), running it.

A condition is true or false of everybody, never NULL: each asks whether the person is among those of a subquery. So
`not` is exactly the others.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ml.audiences.spec import (
    Attribute,
    AudienceError,
    AudienceSpec,
    Compare,
    Condition,
    Feature,
    LackingError,
    Rated,
    Recency,
    Score,
    Segment,
    Watched,
    nearest,
)

EVERYBODY = {"user_id": "marts.users", "customer_id": "staging.stg_customers__customers"}
"""By entity the table with one row for each."""
SEGMENT_MEMBERS, DEPARTURE = "ml.segment_members", "ml.departure"
IDS = "landing.ids"
_TITLES, _GENRES = "features.title_descriptions", "intermediate.int_titles__genres"
_ACTS = {
    "views": ("intermediate.int_views__watched", "watched_at"),
    "ratings": ("features.user_title_ratings", "rated_at"),
}
"""What people do: its table, and when."""
_LAST = {"views": "the last view", "ratings": "the last rating", "either": "the last view or rating"}
_KINDS = {"BOOLEAN": "boolean", "VARCHAR": "text", "FLOAT": "number", "DOUBLE": "number"}
_SIGNS = {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<"}
_SAID = {"at_least": "at least", "at_most": "at most", "above": "above", "below": "below"}


def _never(_table: str, *_more: str) -> Collection[str]:
    return ()


@dataclass(frozen=True)
class Tables:
    """What rules can be about.

    Attributes
    ----------
    columns : table (`schema.name`) to its columns with their types as DuckDB calls them.
    values : returns the different texts in a column of a table; given a segmentation, too, in its rows.
    has_rows : tells whether a table has any.
    named : returns the name of a table in SQL.
    """

    columns: Mapping[str, Mapping[str, str]]
    values: Callable[..., Collection[str]] = _never
    has_rows: Callable[[str], bool] = field(default=lambda _table: True)
    named: Callable[[str], str] = field(default=lambda table: table)


@dataclass(frozen=True)
class Compiled:
    """An audience as SQL.

    Attributes
    ----------
    judged : a SELECT with one row per person: `entity`, and whether each step holds, `step_1` and so on.
    listed : a SELECT of the members from a table `judged` of these, by their ids as the source writes them.
    kept : for each step the condition that it and all before hold.
    steps : side and words of each step.
    doubts : what it names and nobody has, in sentences: no fault of SQL, and maybe a slip of the pen.
    lacking : the tables that it reads and that have no rows.
    """

    judged: str
    listed: str
    kept: list[str]
    steps: list[tuple[str, str]]
    doubts: list[str]
    lacking: list[str]

    @property
    def sql(self) -> str:
        """The one SELECT of the members."""
        body = "\n".join(f"    {line}" for line in self.judged.split("\n"))
        return f"with judged as (\n{body}\n)\n\n{self.listed}"

    @property
    def counted(self) -> str:
        """A SELECT of one row from a table `judged`: how many there are, and how many are left after each step."""
        return (
            ", ".join(["select count(*)", *(f"count(*) filter (where {one})" for one in self.kept)])
            + " from judged"
        )


def compile_audience(spec: AudienceSpec, tables: Tables, others: Mapping[str, AudienceSpec]) -> Compiled:
    """Return an audience as SQL.

    Parameters
    ----------
    spec
        The audience.
    tables
        What there is.
    others
        The audiences that it may be made of, by name; `check_together` has accepted them and it.

    Raises
    ------
    AudienceError
        When it asks for a table or a column that is not there, or compares a value with one of another kind.
    """
    compiler = _Compiler(spec.entity, tables, others)
    judged, holds, words = compiler.audience(spec)
    written, joined = "judged.entity", ""
    if spec.entity == "user_id":
        written = "coalesce(ids.id, cast(judged.entity as varchar))"
        joined = f"\nleft join {tables.named(IDS)} as ids on judged.entity = ids.number"
    return Compiled(
        judged=judged,
        listed=f"select {written} as entity_id\nfrom judged{joined}\nwhere {_and(holds)}",
        kept=[_and(holds[: place + 1]) for place in range(len(holds))],
        steps=[(side, said) for (side, _), said in zip(spec.steps, words, strict=True)],
        doubts=list(dict.fromkeys(compiler.doubts)),
        lacking=[table for table in sorted(compiler.reads) if not tables.has_rows(table)],
    )


def names_of(spec: AudienceSpec) -> set[str]:
    """Return the tables (`schema.name`) that an audience reads itself, without looking whether they are there."""
    compiler = _Compiler(spec.entity, None, {})
    for _, condition in spec.steps:
        compiler.condition(condition)
    return compiler.reads | {EVERYBODY[spec.entity]}


class _Compiler:
    """Makes SQL of conditions on one entity; notes what it reads, and what it names that nobody has."""

    def __init__(self, entity: str, tables: Tables | None, others: Mapping[str, AudienceSpec]) -> None:
        self.entity, self.tables, self.others = entity, tables, others
        self.reads: set[str] = set()
        self.doubts: list[str] = []

    def audience(self, spec: AudienceSpec) -> tuple[str, list[str], list[str]]:
        """Return the SELECT that judges everybody, the condition of each step on it, and the words of each."""
        self.table(EVERYBODY[self.entity])
        made = [self.condition(condition) for _, condition in spec.steps]
        lines = [f"everybody.{self.entity} as entity"]
        lines += [f"{sql} as step_{place}" for place, (sql, _) in enumerate(made, 1)]
        listed = ",\n    ".join(lines)
        judged = f"select\n    {listed}\nfrom {self.named(EVERYBODY[self.entity])} as everybody"
        holds = [
            f"step_{place}" if side == "include" else f"not step_{place}"
            for place, (side, _) in enumerate(spec.steps, 1)
        ]
        return judged, holds, [words for _, words in made]

    def condition(self, one: Condition) -> tuple[str, str]:
        """Return a condition on a row of `everybody` as SQL, and in words."""
        if one.kind in ("all", "any"):
            made, word = [self.condition(part) for part in one.parts], "and" if one.kind == "all" else "or"
            if len(made) == 1:
                return made[0]
            return tuple("(" + f" {word} ".join(each) + ")" for each in zip(*made, strict=True))  # type: ignore[return-value]
        if one.not_:
            sql, words = self.condition(one.not_)
            return f"(not {sql})", f"not {words}" if words.startswith("(") else f"not ({words})"
        return getattr(self, f"_{one.kind}")(one.inner)

    def _segment(self, asked: Segment) -> tuple[str, str]:
        self.table(SEGMENT_MEMBERS)
        conditions = [f"segmentation = {_text(asked.of)}"]
        is_there = self.segmentation(asked.of)
        for column, given in (("segment_name", asked.is_), ("level", asked.level)):
            if given:
                conditions.append(f"{column} in ({_texts(given)})")
            if given and is_there:
                self.known(SEGMENT_MEMBERS, column, given, column.partition("_")[0], of=asked.of)
        words = f"segment of {asked.of}{' is ' + _or(asked.is_) if asked.is_ else ''}"
        words += f"{' and' if asked.is_ else ''} level is {_or(asked.level)}" if asked.level else ""
        rows = f"select entity_id from {self.named(SEGMENT_MEMBERS)} where {' and '.join(conditions)}"
        return f"cast(everybody.{self.entity} as varchar) in ({rows})", words

    def _feature(self, asked: Feature) -> tuple[str, str]:
        return self._column(asked.table, asked.column, asked, f"{asked.column} ({asked.table.split('.')[1]})")

    def _attribute(self, asked: Attribute) -> tuple[str, str]:
        return self._column(EVERYBODY[self.entity], asked.column, asked, asked.column)

    def _score(self, asked: Score) -> tuple[str, str]:
        if self.tables is not None:
            scores = sorted(
                name.removeprefix("ml.")
                for name, columns in self.tables.columns.items()
                if name.startswith("ml.") and {"score", "decile"} <= set(columns)
            )
            if asked.of not in scores:
                raise AudienceError(f"there is no score {asked.of!r}{nearest(asked.of, scores)}")
        label = asked.of if asked.by == "score" else f"{asked.by} of {asked.of}"
        return self._column(f"ml.{asked.of}", asked.by, asked, label)

    def _column(self, table: str, column: str, asked: Compare, label: str) -> tuple[str, str]:
        if self.entity not in self.table(table, self.entity):
            msg = f"{table} has no column {self.entity}: it is about something else"
            raise AudienceError(msg)
        return self._among(self.named(table), self.compare(asked, table, column), label, asked)

    def _among(self, rows: str, tests: list[tuple[str, str]], label: str, asked: Compare) -> tuple[str, str]:
        """Return whether the person has a row of which tests hold; where it must be missing, that there is none."""
        is_in = "not in" if asked.is_missing else "in"
        where = " and ".join([*(sql for sql, _ in tests), f"{self.entity} is not null"])
        words = f"{label} {' and '.join(said for _, said in tests)}"
        return f"everybody.{self.entity} {is_in} (select {self.entity} from {rows} where {where})", words

    def _watched(self, asked: Watched) -> tuple[str, str]:
        return self._acts("views", asked, "watched")

    def _rated(self, asked: Rated) -> tuple[str, str]:
        return self._acts("ratings", asked, "rated")

    def _acts(self, act: str, asked: Watched, verb: str) -> tuple[str, str]:
        table, at = self._done(act)
        where = ["user_id is not null"]
        words = [f"{verb} at least {asked.at_least} title{'s' if asked.at_least > 1 else ''}"]
        if asked.title:
            self.table(_TITLES)
            self.known(_TITLES, "title", asked.title, "title", or_in="title_key")
            among = f"title in ({_texts(asked.title)}) or title_key in ({_texts(asked.title)})"
            where.append(f"title_id in (select title_id from {self.named(_TITLES)} where {among})")
            words.append(f"among {_or(asked.title)}")
        if asked.genre:
            self.table(_TITLES)
            self.table(_GENRES)
            self.known(_GENRES, "genre_label", asked.genre, "genre", or_in="genre")
            among = f"genre in ({_texts(asked.genre)}) or genre_label in ({_texts(asked.genre)})"
            of_genre = f"select title_id from {self.named(_GENRES)} where {among}"
            where.append(
                f"title_id in (select title_id from {self.named(_TITLES)} where title_key in ({of_genre}))"
            )
            words.append(f"of {_or(asked.genre)}")
        if asked.within_days:
            latest = f"(select max({at}) from {self.named(table)})"
            where.append(f"date_diff('day', {at}, {latest}) <= {asked.within_days}")
            words.append(f"in the last {asked.within_days} days")
        if isinstance(asked, Rated) and asked.rating:
            tests = self.compare(asked.rating, table, "rating")
            where += [sql for sql, _ in tests]
            words.append("with a rating that " + " and ".join(said for _, said in tests))
        title = "movie_id" if act == "views" else "title_id"
        rows = (
            f"select user_id from {self.named(table)} where {' and '.join(where)} "
            f"group by user_id having count(distinct {title}) >= {asked.at_least}"
        )
        return f"everybody.user_id in ({rows})", " ".join(words)

    def _recency(self, asked: Recency) -> tuple[str, str]:
        acts = [self._done(act) for act in (("views", "ratings") if asked.of == "either" else (asked.of,))]
        rows = " union all ".join(
            f"select user_id, {at} as done_at from {self.named(table)}" for table, at in acts
        )
        days = "date_diff('day', max(done_at), max(max(done_at)) over ())"
        last = f"(select user_id, {days} as days from ({rows}) where done_at is not null group by user_id)"
        return self._among(last, self.compare(asked, "", "days"), f"days since {_LAST[asked.of]}", asked)

    def _audience(self, name: str) -> tuple[str, str]:
        if self.tables is None:
            return "", ""
        judged, holds, _ = self.audience(self.others[name])
        rows = f"select entity from ({judged}) where {_and(holds)}"
        return f"everybody.{self.entity} in ({rows})", f"in the audience {name}"

    # ------------------------------------------------------------------ tables, columns, values

    def _done(self, act: str) -> tuple[str, str]:
        if self.entity != "user_id":
            msg = f"customers have no {act}: watched, rated and recency are of users"
            raise AudienceError(msg)
        table, at = _ACTS[act]
        self.table(table)
        return table, at

    def named(self, table: str) -> str:
        return self.tables.named(table) if self.tables else table

    def table(self, table: str, default: str | None = None) -> Mapping[str, str]:
        """Return the columns of a table, and note that it is read."""
        self.reads.add(table)
        if self.tables is None:
            return {default: ""} if default else {}
        columns = self.tables.columns
        if table not in columns:
            own = [name for name in columns if name.startswith(f"{table.partition('.')[0]}.")]
            raise AudienceError(f"there is no table {table}{nearest(table, sorted(own))}")
        return columns[table]

    def segmentation(self, name: str) -> bool:
        """Return whether there is a segmentation of this name, and note where there are others alone."""
        if self.tables is None or not self.tables.has_rows(SEGMENT_MEMBERS):
            return False
        there = sorted(self.tables.values(SEGMENT_MEMBERS, "segmentation"))
        if name not in there:
            self.doubts.append(f"there is no segmentation {name!r}{nearest(name, there)}")
        return name in there

    def known(
        self, table: str, column: str, given: Collection[str], what: str, *, of: str = "", or_in: str = ""
    ) -> None:
        """Note which of the given texts no row has."""
        if self.tables is None or not self.tables.has_rows(table):
            return
        there = sorted(self.tables.values(table, column, *((of,) if of else ())))
        also = self.tables.values(table, or_in) if or_in else ()
        for text in given:
            if text not in there and text not in also:
                where = f" of {of}" if of else ""
                self.doubts.append(f"nobody has the {what}{where} {text!r}{nearest(text, there)}")

    def compare(self, asked: Compare, table: str, column: str) -> list[tuple[str, str]]:
        """Return each test on a column as SQL and in words; the table is none where the column is a number."""
        if self.tables is None:
            return []
        columns = self.table(table) if table else {column: "BIGINT"}
        if column not in columns:
            wrong = AudienceError if self.tables.has_rows(table) else LackingError
            raise wrong(f"{table} has no column {column!r}{nearest(column, sorted(columns))}")
        type_ = columns[column]
        if (kind := kind_of(type_)) is None:
            msg = f"{table}.{column} is of type {type_}, which no rule compares"
            raise AudienceError(msg)
        where = f"{table}.{column}" if table else f"the number of {column}"

        def literal(value: Any) -> str:
            return _literal(value, kind, where)

        name, made = _identifier(column), []
        if type_.startswith(
            "TIMESTAMP"
        ):  # days are compared with days: what happened on the last of them counts
            name = f"cast({name} as date)"
        for test, value in asked.tests.items():
            if test == "is_missing":
                made.append((f"{name} is not null", "is missing" if value else "is not missing"))
            elif test == "between":
                low, high = value
                made.append(
                    (f"{name} between {literal(low)} and {literal(high)}", f"is between {low} and {high}")
                )
            elif test in ("is", "is_not"):
                listed = ", ".join(map(literal, value))
                sign, said = ("in", "is") if test == "is" else ("not in", "is not")
                made.append((f"{name} {sign} ({listed})", f"{said} {_or(value)}"))
                if kind == "text" and table:
                    self.known(table, column, [str(one) for one in value], column)
            else:
                made.append((f"{name} {_SIGNS[test]} {literal(value)}", f"is {_SAID[test]} {value}"))
        return made


def kind_of(type_: str) -> str | None:
    """Return what a type of DuckDB's is compared with: number, text, date or boolean; None where no rule does."""
    if type_.startswith(("DATE", "TIMESTAMP")):
        return "date"
    return _KINDS.get(type_, "number" if "INT" in type_ or "DECIMAL" in type_ else None)


def _literal(value: Any, kind: str, where: str) -> str:
    """Return a value as an SQL literal of a kind."""
    is_bool = isinstance(value, bool)
    if kind == "boolean" and is_bool:
        return str(value).lower()
    if kind == "number" and isinstance(value, (int, float)) and not is_bool:
        return repr(value)
    if kind == "text" and isinstance(value, str):
        return _text(value)
    if kind == "date":
        try:
            return f"date '{value if isinstance(value, date) else date.fromisoformat(value)}'"
        except (TypeError, ValueError):
            pass
    article = {
        "number": "a number",
        "text": "a text",
        "boolean": "true or false",
        "date": "a day such as 2026-11-30",
    }
    raise AudienceError(f"{where} is compared with {value!r}, and {article[kind]} is expected")


def _and(conditions: list[str]) -> str:
    return " and ".join(conditions) or "true"


def _or(values: Collection[Any]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} or {last}" if first else last


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _texts(texts: Collection[str]) -> str:
    return ", ".join(map(_text, texts))


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
