"""How a cell is read: the SQL that makes a value of a landing column's kind of it, or NULL where it cannot.

Belongs here: SQL text for DuckDB, one way for each kind, and what a column as a whole shows of how it is written.
Does not belong here: which cell belongs to which column (`ingest.binding`), running the SQL (`ingest.staging`).

DuckDB's own cast is too friendly: it reads '1.5' as the integer 2, '1_000' as 1000, '0x10' as 16, 'nan' as a number
and '20:15:00+02' as a time without a zone, so the casts here are guarded. A number of time and a date of numbers alone
mean nothing by themselves; what they are is declared or evident from the column, never guessed for a cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from ingest.contracts import Kind
from ingest.sql import identifier, text_literal

FIRST_TEXT_ID = 1 << 40
"""Ids that are whole numbers below this are their own numbers."""

NULL_MARKERS = ("", r"\N", "NULL", "null", "NaN", "nan", "None", "none", "N/A", "n/a", "#N/A", "<NA>")
"""Cells that stand for nothing where no text is meant."""

_FIRST_SECOND = 31_536_000  # the year 1971: a moment of 1970 is a clock that was not set
_FIRST = "TIMESTAMP '1971-01-01'"
_END = "coalesce(getvariable('end_of_time'), TIMESTAMP '2100-01-01')"
_PER_SECOND = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}
_LAST_SECOND = 4_102_444_800  # the year 2100
_WHOLE = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_FRACTIONS = ("DOUBLE", "FLOAT", "DECIMAL")
_NUMBERS_ALONE = r"\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\b(.*)"
_OFFSET = r"[+-](0\d|1[0-4])(:?[0-5]\d)?"
_FIRST_DAY, _LAST_DAY = "DATE '0001-01-01'", "DATE '9999-12-31'"
_ISO_TIME = r"\s*\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?"


@dataclass(frozen=True)
class Form:
    """How the cells of a column are written.

    Parameters
    ----------
    unit
        What a number of time counts.
    order
        Of day and month in dates of numbers alone; None: not known, so that none is read.
    decimal
        The sign before the fraction of a number.
    is_open
        Whether there are dates of numbers alone, and none of them shows the order.
    """

    unit: str = "seconds"
    order: str | None = None
    decimal: str = "."
    is_open: bool = False

    @property
    def asks_order(self) -> bool:
        """Whether dates are not read until their order is declared."""
        return self.is_open and self.order is None


def is_text(native: str) -> bool:
    """Whether cells of this DuckDB type are text, as in CSV."""
    return native == "VARCHAR"


def given(kind: Kind, cell: str, native: str, nulls: Sequence[str] = ()) -> str:
    """Return the SQL expression of a cell that is NULL where it stands for nothing.

    The common markers of nothing are no numbers and no times, so that only `is_nothing` need know them there; an id
    they would be.
    """
    if native.startswith(_FRACTIONS[:2]):
        return f"CASE WHEN NOT isnan({cell}) THEN {cell} END"
    if not is_text(native):
        return cell
    common = {Kind.ID: NULL_MARKERS, Kind.TEXT: (r"\N",), Kind.LABELS: NULL_MARKERS}
    markers = dict.fromkeys([*common.get(kind, ()), *nulls])
    if not markers:
        return cell
    is_something = f"{cell} NOT IN ({', '.join(map(text_literal, markers))})"
    if kind is Kind.ID:
        is_something += f" AND trim({cell}) <> ''"
        if not any(marker[:1].isdigit() for marker in markers):
            # Most ids begin with a digit, and one look says so: the words cost a quarter of landing 26 M ratings.
            is_something = f"({cell} >= '0' AND {cell} < ':') OR ({is_something})"
    return f"CASE WHEN {is_something} THEN {cell} END"


def is_nothing(cell: str, native: str) -> str:
    """Return the SQL condition that a cell which could not be read stands for nothing."""
    if not is_text(native):
        return "false"
    return f"{cell} IN ({', '.join(map(text_literal, NULL_MARKERS))})"


def value(kind: Kind, cell: str, native: str, form: Form, number: str = "") -> str:  # noqa: PLR0911 - one for each kind
    """Return the SQL expression of the value; ids have `own_number`.

    `cell` is what `given` returned, by name, and `number` what `whole` did.
    """
    match kind:
        case Kind.TEXT:
            return _text(cell, native)
        case Kind.LABELS:
            return _labels(cell, native)
        case Kind.FLAG:
            return f"TRY_CAST({cell} AS BOOLEAN)"
        case Kind.DATE:
            return _date(cell, native, form)
        case Kind.MOMENT | Kind.LOCAL_TIME:
            return _time(kind, cell, native, form, number)
        case Kind.INTEGER:
            return cell if _WHOLE.fullmatch(native) else _integer(_as_text(cell, native), number)
        case _:
            return _number(kind, cell, native, form)


def whole(kind: Kind, cell: str, native: str) -> str | None:
    """Return the SQL expression of the whole number in a cell of text, as far as DuckDB's cast reads one there.

    It stands in a query of its own, below those that ask for it several times; None where nobody does.
    """
    if kind not in (Kind.ID, Kind.INTEGER, Kind.MOMENT) or _WHOLE.fullmatch(native):
        return None
    text = _as_text(cell, native)
    # Most other texts are too long for a number: a cast that fails takes as long as all the rest.
    return f"CASE WHEN strlen({text}) <= 19 THEN TRY_CAST({text} AS BIGINT) END"


def own_number(cell: str, native: str, number: str) -> str:
    """Return the SQL expression of the number that an id itself is, else NULL; `number` is its `whole`, by name.

    That is the plain spelling of a whole number below 2^40; ``123.0``, as tables of fractions write it, is 123.
    """
    if _WHOLE.fullmatch(native):
        number, spelled = f"TRY_CAST({cell} AS BIGINT)", ""
    else:
        text = _as_text(cell, native)
        spelled = f"({number}::VARCHAR = {text} OR {number}::VARCHAR || '.0' = {text}) AND "
    return f"CASE WHEN {spelled}{number} BETWEEN 0 AND {FIRST_TEXT_ID - 1} THEN {number} END"


def id_text(cell: str, native: str) -> str:
    """Return the SQL expression of an id as text; a fraction that is whole is written without its zero."""
    text = _as_text(cell, native)
    return rf"regexp_replace({text}, '^(\d+)\.0$', '\1')" if native.startswith(_FRACTIONS) else text


def evidence(
    connection: duckdb.DuckDBPyConnection, relation: str, kinds: Mapping[str, Kind], *, may_have_commas: bool
) -> dict[str, Form]:
    """Return how the columns of a relation are written, as far as their cells show it.

    Parameters
    ----------
    connection
        Where the relation is.
    relation
        SQL of a relation that holds text columns of these names.
    kinds
        Kind of each column to look at.
    may_have_commas
        Whether a comma may stand before the fraction of a number: where commas do not divide the cells.
    """
    counts = {
        name: _counts(identifier(name), kind, may_have_commas=may_have_commas) for name, kind in kinds.items()
    }
    counts = {name: shown for name, shown in counts.items() if shown}
    if not counts:
        return {}
    listed = [f"count(*) FILTER ({condition})" for shown in counts.values() for condition in shown.values()]
    found = iter(connection.execute(f"SELECT {', '.join(listed)} FROM {relation}").fetchone() or ())
    return {name: _form({key: next(found) for key in shown}) for name, shown in counts.items()}


def _counts(cell: str, kind: Kind, *, may_have_commas: bool) -> dict[str, str]:
    """Return conditions on a cell that show how its column is written, by what they show."""
    conditions: dict[str, str] = {}
    if kind is Kind.MOMENT:
        whole = f"TRY_CAST({cell} AS BIGINT)"
        conditions |= {unit: _is_of(whole, unit) for unit in _PER_SECOND}
    if kind in (Kind.MOMENT, Kind.LOCAL_TIME, Kind.DATE):
        first, second = (
            f"TRY_CAST(regexp_extract({cell}, '{_NUMBERS_ALONE}', {group}) AS INTEGER)" for group in (1, 2)
        )
        conditions |= {
            "day first": f"{first} > 12 AND {second} <= 12",
            "month first": f"{first} <= 12 AND {second} > 12",
            "either": f"{first} <= 12 AND {second} <= 12",
        }
    if kind in (Kind.NUMBER, Kind.SCORE, Kind.MINUTES) and may_have_commas:
        for noun, sign in (("commas", ","), ("points", r"\.")):
            conditions[noun] = rf"regexp_full_match({cell}, '\s*[+-]?\d+{sign}\d+\s*')"
    return conditions


def _form(counts: Mapping[str, int]) -> Form:
    unit = max(_PER_SECOND, key=lambda unit: counts.get(unit, 0))
    orders = [order for order in ("day first", "month first") if counts.get(order)]
    order = orders[0] if len(orders) == 1 else None
    is_open = not orders and bool(counts.get("either"))
    decimal = "," if counts.get("commas", 0) > counts.get("points", 0) else "."
    return Form(unit, order, decimal, is_open)


def end_of_time(today: date) -> str:
    """Return the SQL statement after which no time is read that lies more than a day after `today`.

    A day, because a viewer's own clock may be ahead of ours.
    """
    return f"SET VARIABLE end_of_time = TIMESTAMP '{today + timedelta(days=2)}'"


def _is_of(whole: str, unit: str) -> str:
    """Return the condition that a number counts this unit from 1971 to 2099; in the finer ones, from 1973."""
    return _is_between(whole, unit, str(_LAST_SECOND * _PER_SECOND[unit]))


def _moment(whole: str, unit: str) -> str:
    """Return the SQL expression of the moment that a whole number of time names; NULL beyond 1971 to the end."""
    step = 10**6 // _PER_SECOND[unit]
    is_known = _is_between(whole, unit, f"epoch_us({_END}) // {step}")
    return f"CASE WHEN {is_known} THEN make_timestamp({whole} * {step}) END"


def _is_between(whole: str, unit: str, end: str) -> str:
    least = 10**8 * _PER_SECOND[unit] if unit != "seconds" else _FIRST_SECOND
    return f"{whole} >= {least} AND {whole} < {end}"


def _as_text(cell: str, native: str) -> str:
    return cell if is_text(native) else f"{cell}::VARCHAR"


def _text(cell: str, native: str) -> str:
    if native == "VARCHAR[]":
        return f"array_to_string({cell}, ', ')"
    if native.endswith("]") or native.startswith(("STRUCT", "MAP", "UNION")):
        return f"to_json({cell})::VARCHAR"
    return _as_text(cell, native)


def _labels(cell: str, native: str) -> str:
    if native.startswith("STRUCT") and native.endswith("[]") and re.search(r"\bname\b", native):
        return f"tidy_labels(list_transform({cell}, lambda part: part.name))"
    if native.endswith("[]") and not native.startswith(("STRUCT", "MAP")):
        return f"tidy_labels({cell}::VARCHAR[])"
    return f"labels({_text(cell, native)})"


def _number(kind: Kind, cell: str, native: str, form: Form) -> str:
    if _WHOLE.fullmatch(native) or native.startswith(_FRACTIONS):
        number = f"{cell}::DOUBLE"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    text = _as_text(cell, native)
    if form.decimal == ",":
        text = f"CASE WHEN NOT contains({text}, '.') THEN replace({text}, ',', '.') END"
    if kind is Kind.SCORE:
        text = f"regexp_replace({text}, '\\s*%\\s*$', '')"
    number = f"TRY_CAST({text} AS DOUBLE)"
    read = f"CASE WHEN NOT contains({text}, '_') AND isfinite({number}) THEN {number} END"
    if kind is Kind.MINUTES:
        clock = rf"regexp_full_match({text}, '\s*\d{{1,3}}:[0-5]\d:[0-5]\d(\.\d+)?\s*')"
        hours, minutes, seconds = (f"split_part({text}, ':', {part})::DOUBLE" for part in (1, 2, 3))
        seconds = f"({hours} * 60 + {minutes} + {seconds} / 60)"
        return (
            f"CASE WHEN contains({text}, ':') THEN CASE WHEN {clock} THEN TRY({seconds}) END ELSE {read} END"
        )
    return read


def _integer(cell: str, number: str) -> str:
    """Accept 7, 007, +7 and 7.0; the comparison with the plain spelling spares most rows the slow pattern."""
    number = number or f"TRY_CAST({cell} AS BIGINT)"
    return (
        f"CASE WHEN {number}::VARCHAR = {cell} THEN {number} "
        rf"WHEN regexp_full_match({cell}, '\s*[+-]?[0-9]+(\.0*)?\s*') THEN {number} END"
    )


def _ordered(order: str | None, endings: Sequence[str]) -> list[str]:
    if order is None:
        return []
    start = ("%d", "%m") if order == "day first" else ("%m", "%d")
    return [f"{start[0]}{sign}{start[1]}{sign}%Y{ending}" for sign in "-/." for ending in endings]


def _parsed(cell: str, formats: Sequence[str]) -> str:
    return f"try_strptime({cell}, [{', '.join(map(text_literal, formats))}])"


def _date(cell: str, native: str, form: Form) -> str:
    if native.startswith(("DATE", "TIMESTAMP")):
        return _of_a_calendar(f"{cell}::DATE")
    text = f"trim({_as_text(cell, native)})"
    # Beside the first, they name the month, so that no reader can take it for a day.
    named = ["%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y"]
    # The parser takes the words infinity and epoch for days, of the year 1900.
    parsed = _parsed(
        f"CASE WHEN regexp_matches({text}, '\\d') THEN {text} END", [*named, *_ordered(form.order, [""])]
    )
    stamp = f"regexp_full_match({text}, '{_ISO_TIME}(Z|{_OFFSET})?')"
    return _of_a_calendar(f"CASE WHEN {stamp} THEN TRY_CAST(({text})[:10] AS DATE) ELSE {parsed}::DATE END")


def _of_a_calendar(day: str) -> str:
    """Return the SQL expression of a day, NULL beyond the years that four digits name."""
    return f"CASE WHEN {day} BETWEEN {_FIRST_DAY} AND {_LAST_DAY} THEN {day} END"


def _time(kind: Kind, cell: str, native: str, form: Form, number: str) -> str:
    """Read times of 1971 to the end. The cast alone would turn an offset into UTC, and a day into its midnight."""
    if native == "TIMESTAMP WITH TIME ZONE":
        time = f"timezone('UTC', {cell})" if kind is Kind.MOMENT else "NULL::TIMESTAMP"
    elif native.startswith("TIMESTAMP"):
        time = f"{cell}::TIMESTAMP"
    else:
        return _written_time(kind, _as_text(cell, native), form, number)
    return _bounded(time)


def _bounded(time: str) -> str:
    return f"CASE WHEN {time} >= {_FIRST} AND {time} < {_END} THEN {time} END"


def _written_time(kind: Kind, text: str, form: Form, number: str) -> str:
    spaced = f"replace({text}, 'T', ' ')"
    time = f"TRY_CAST({spaced} AS TIMESTAMP)"
    bounded = _bounded(time)
    # Most rows are spared the pattern by the comparison with the plain spelling.
    branches = [
        f"WHEN {time}::VARCHAR = {spaced} OR regexp_full_match({text}, '{_ISO_TIME}\\s*') THEN {bounded}"
    ]
    if kind is Kind.MOMENT:
        shape = rf"{_ISO_TIME}\s*(Z|UTC|{_OFFSET})\s*"
        moment = (
            f"timezone('UTC', TRY_CAST(regexp_replace({text}, '\\s*(Z|UTC)\\s*$', '+00') AS TIMESTAMPTZ))"
        )
        branches += [
            f"WHEN regexp_full_match({text}, '{shape}') THEN {_bounded(moment)}",
            rf"WHEN regexp_full_match({text}, '\s*\d{{4}}-\d{{2}}-\d{{2}}\s*') THEN {bounded}",
        ]
        # First what most cells are: a number plainly spelled. Others have none of the signs of a written time.
        number = number or f"TRY_CAST({text} AS BIGINT)"
        plain = f"WHEN {number}::VARCHAR = {text} THEN {_moment(number, form.unit)}"
        rest = "" if form.order else "WHEN NOT contains({0}, '-') AND NOT contains({0}, ':') THEN {1}"
        branches[:0] = [plain, rest.format(text, _moment(_integer(text, number), form.unit))]
    ordered = _ordered(form.order, [" %H:%M:%S", " %H:%M", *([""] if kind is Kind.MOMENT else [])])
    other = _parsed(f"trim({spaced})", ordered) if ordered else "NULL::TIMESTAMP"
    return f"CASE {' '.join(branches)} ELSE {_bounded(other)} END"


MACROS = r"""
CREATE OR REPLACE TEMP MACRO tidy_labels(parts) AS
    list_filter(list_transform(parts, lambda part: trim(part)),
        lambda part, place: part <> '' AND list_position(list_transform(parts, lambda p: trim(p)), part) = place);
CREATE OR REPLACE TEMP MACRO quoted_parts(cell, pattern) AS
    list_transform(
        list_zip(regexp_extract_all(cell, pattern, 1), regexp_extract_all(cell, pattern, 2)),
        lambda quoted: regexp_replace(coalesce(nullif(quoted[1], ''), quoted[2]), '\\(.)', '\1', 'g'));
CREATE OR REPLACE TEMP MACRO labels(cell) AS CASE
    WHEN trim(cell) IN ('[]', '{}') THEN []::VARCHAR[]
    WHEN json_valid(cell) AND json_type(cell) = 'ARRAY' AND json_type(cell, '$[0]') = 'VARCHAR'
        THEN tidy_labels(json_extract_string(cell, '$[*]'))
    WHEN json_valid(cell) AND json_type(cell) = 'ARRAY' AND json_type(cell, '$[0].name') = 'VARCHAR'
        THEN tidy_labels(json_extract_string(cell, '$[*].name'))
    WHEN regexp_matches(cell, '^\s*\[') AND regexp_matches(cell, '[''"]name[''"]\s*:') THEN tidy_labels(quoted_parts(
        cell, '[''"]name[''"]\s*:\s*(?:''((?:[^''\\]|\\.)*)''|"((?:[^"\\]|\\.)*)")'))
    WHEN regexp_full_match(cell, '\s*\[(\s*(''([^''\\]|\\.)*''|"([^"\\]|\\.)*")\s*,?)+\s*\]\s*', 's')
        THEN tidy_labels(quoted_parts(cell, '(?:''((?:[^''\\]|\\.)*)''|"((?:[^"\\]|\\.)*)")'))
    WHEN regexp_full_match(cell, '\{[^{}:]+\}')
        THEN tidy_labels(list_transform(string_split(cell[2:-2], ','), lambda part: trim(part, '"')))
    WHEN regexp_matches(cell, '^\s*[\[{<]') OR NOT regexp_matches(cell, '\pL') THEN NULL
    WHEN contains(cell, '|') THEN tidy_labels(string_split(cell, '|'))
    WHEN contains(cell, ';') THEN tidy_labels(string_split(cell, ';'))
    ELSE tidy_labels(string_split(cell, ','))
END;
"""
"""What `labels(cell)` reads: lists of names or of things with a name, in JSON or Python, and divided text."""
