"""Rows that nobody should have written, good ones between them, and what must become of each; in every format.

What a cell means is written down here by hand, so that no test asks the code it tests.
"""

import datetime
import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.contracts import CONTRACTS, Column, Kind
from tests.hostile import HOSTILE

UNREAD = object()
"""What a cell comes to that is there and cannot be read."""

NOTHING = ("", "NULL", "null", "NaN", "nan", "None", "N/A", "<NA>", r"\N")
NO_NUMBER = (
    "great", "inf", "-Infinity", "1e309", "9" * 400, "0x1F", "1_000", "1 000", "--5", "5\0", "５", "½", "1e",
    "true", "=1+1", "<b>1</b>", "1;drop table x", "5\u200b", "1.2.3", "[]",
)  # fmt: skip
NUMBERS = (
    ("1e308", 1e308),
    ("-0", 0.0),
    (" 5 ", 5.0),
    (".5", 0.5),
    ("5.", 5.0),
    ("+7", 7.0),
    ("1e-400", 0.0),
)
NO_WHOLE = ("9223372036854775808", "18446744073709551616", "1.5", "1e3", "1e308", *NO_NUMBER)
NO_DAY = (
    "0000-00-00", "0000-01-01", "2020-02-30", "1900-02-29", "10000-01-01", "-0044-03-15", "infinity", "epoch", "now",
    "1500000000", "-1", "20200101", "5 Mai 2020", "2020-01-01\0", "２０２０-01-01", "soon", "=TODAY()",
)  # fmt: skip
NO_TIME = (
    "0000-00-00 00:00:00", "1969-12-31 23:59:59", "9999-12-31 23:59:59", "2016-12-31 23:59:60", "2020-02-30 10:00:00",
    "2020-01-01T00:00:00+99:99", "-1500000000", "1500000000000000000", "1e9", "infinity", "9" * 400, "0", "now",
)  # fmt: skip
_DAY = datetime.date
_TIME = datetime.datetime

GOOD: dict[Kind, tuple[tuple[str, Any], ...]] = {
    Kind.ID: (("7", 7), ("1099511627775", 2**40 - 1), ("0", 0), ("ann-é", "ann-é")),
    Kind.NUMBER: (("3.5", 3.5), ("1", 1.0), ("2.25", 2.25)),
    Kind.SCORE: (("87", 87.0), ("55%", 55.0)),
    Kind.MINUTES: (("61", 61.0), ("01:30:00", 90.0)),
    Kind.INTEGER: (("1", 1), ("2", 2)),
    Kind.TEXT: (("Amélie", "Amélie"), ("plain", "plain")),
    Kind.LABELS: (("Drama|War", ["Drama", "War"]), ("['Sci-Fi']", ["Sci-Fi"])),
    Kind.DATE: (("1995-10-30", _DAY(1995, 10, 30)), ("5 May 2020", _DAY(2020, 5, 5))),
    Kind.FLAG: (("True", True), ("False", False)),
    Kind.MOMENT: (("978300760", _TIME(2000, 12, 31, 22, 12, 40)), ("1500000000", _TIME(2017, 7, 14, 2, 40))),
    Kind.LOCAL_TIME: (("2017-06-05 20:15:00", _TIME(2017, 6, 5, 20, 15)),),
}
_numbers = (*NUMBERS, *((text, UNREAD) for text in NO_NUMBER))
BAD: dict[Kind, tuple[tuple[str, Any], ...]] = {
    Kind.ID: tuple((text, text if text.strip(" \u00a0") else None) for text in HOSTILE if text not in NOTHING)
    + tuple((text, text) for text in ("9223372036854775808", "1099511627776", "007", "-0", "1e308", "9" * 400)),
    Kind.NUMBER: _numbers,
    Kind.SCORE: (*_numbers, ("50 % %", UNREAD)),
    Kind.MINUTES: (*_numbers, ("24:00:01", 1440 + 1 / 60), ("01:60:00", UNREAD), ("1:00", UNREAD)),
    Kind.INTEGER: (("9223372036854775807", 2**63 - 1), *((text, UNREAD) for text in NO_WHOLE)),
    Kind.TEXT: tuple((text, text) for text in HOSTILE),
    Kind.LABELS: (
        ("<b>x</b>", UNREAD), ("[" * 2_000, UNREAD), ("=1", UNREAD), ("\0", UNREAD),
        ("=cmd()|a\0b", ["=cmd()", "a\0b"]),
        ('["a\\u0000b", "<b>"]', ["a\0b", "<b>"]), ('[{"name": "\'; drop"}]', ["'; drop"]), ("[1, 2]", UNREAD),
    ),
    Kind.DATE: (("9999-12-31", _DAY(9999, 12, 31)), ("0001-01-01", _DAY(1, 1, 1)), *((t, UNREAD) for t in NO_DAY)),
    Kind.FLAG: tuple((text, UNREAD) for text in ("maybe", "2", "=TRUE()", "true\0", "９", "-1")),
    Kind.MOMENT: (("2020-01-01T00:00:00+02:00", _TIME(2019, 12, 31, 22)), *((text, UNREAD) for text in NO_TIME)),
    Kind.LOCAL_TIME: (("1500000000", UNREAD), ("2020-01-01", UNREAD), *((text, UNREAD) for text in NO_TIME)),
}  # fmt: skip


def _text_or_nothing(text: str, kind: Kind) -> Any:
    return text if kind is Kind.TEXT and text not in ("", r"\N") else None


@dataclass(frozen=True)
class Row:
    """One row: its cells, or its bytes where it has no cells that can be told apart, and what becomes of it."""

    cells: tuple[str, ...]
    raw: bytes | None
    expected: dict[str, Any] | None
    is_bad: bool


def _good_cell(column: Column, chance: random.Random) -> tuple[str, Any]:
    if column.name in ("kind",):
        return "Movie", "Movie"
    return chance.choice(GOOD[column.kind])


def _lands(column: Column, value: Any) -> bool:
    if value is UNREAD:
        return not column.required
    if value is None:
        return not column.required or column.nullable
    if column.pattern and not re.fullmatch(
        column.pattern.replace("(?i:series|movie)", "(?:series|movie)"),
        value,
        re.DOTALL | re.ASCII | re.IGNORECASE,
    ):
        return not column.required
    within = column.minimum is None or value >= column.minimum
    return within and (column.maximum is None or value <= column.maximum)


def rows_of_a_file(table: str, bad: int, malformed: tuple[bytes, ...], can: Callable[[str], bool],
                   chance: random.Random) -> list[Row]:  # fmt: skip
    """Return as many bad rows, of these shapes and of cells that the format can hold, and as many good ones."""
    columns = CONTRACTS[table].columns
    rows = []
    for place in range(2 * bad):
        cells = [_good_cell(column, chance) for column in columns]
        if place == 0:
            # UTF-8 shows itself by a line that is nothing else.
            cells = [("é", "é") if c.kind in (Kind.ID, Kind.TEXT) and c.name != "kind" else cell
                     for c, cell in zip(columns, cells, strict=True)]  # fmt: skip
        is_bad = place % 2 == 1
        if is_bad and malformed and chance.random() < 0.2:
            rows.append(Row((), chance.choice(malformed), None, is_bad=True))
            continue
        if is_bad:
            at = chance.randrange(len(columns))
            kind = columns[at].kind
            nothing = tuple((text, _text_or_nothing(text, kind)) for text in NOTHING)
            options = [cell for cell in (*BAD[kind], *nothing) if can(cell[0])]
            cells[at] = chance.choice(options)
        values = {c.name: None if v is UNREAD else v for c, (_, v) in zip(columns, cells, strict=True)}
        key = CONTRACTS[table].key
        lands = all(
            _lands(c, v) or (values["is_deleted"] and c.name not in key)  # a deletion need hold its key alone
            for c, (_, v) in zip(columns, cells, strict=True)
        )
        if lands and table == "views" and values["minutes_watched"] == 0:
            continue  # left out, which is neither
        rows.append(Row(tuple(text for text, _ in cells), None, values if lands else None, is_bad))
    return rows


# ---------------------------------------------------------------------------------------------- formats

_JSON_SHAPES = (
    b"{", b"[1]", b"null", b'"x"', b"42", b'{"user_id": "\xe9"}', b'{"title_id": "\x01"}', b'{"a": 1}{"b": 2}', b"\0\0",
    rb'{"title": "\ud800"}', rb'{"user_id": "x\udfff", "title_id": 1, "rating": "?"}', b"\x1c", b"\xc2\xa0",
    b'{"title_id": ' + b"[" * 300, b'{"' + b"k" * 70_000, b"{}", b'{"title": ' + b"9" * 5_000 + b"}",
    b'{"note": ' + b"[" * 300 + b"]" * 300 + b"}",
)  # fmt: skip


def _divided(
    delimiter: str, encoding: str = "utf-8", end: str = "\n", mark: bytes = b""
) -> Callable[..., bytes]:
    def write(names: list[str], rows: list[Row]) -> bytes:
        def line(cells: tuple[str, ...] | list[str]) -> bytes:
            quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
            return (delimiter.join(quoted) + end).encode(encoding)

        # Names without quotes, as most files have them; a raw row is bytes of ASCII or of no encoding at all.
        head = (delimiter.join(names) + end).encode(encoding)
        body = [line(row.cells) if row.raw is None else row.raw + end.encode() for row in rows]
        return mark + head + b"".join(body)

    return write


def _json_lines(names: list[str], rows: list[Row], *, ascii_only: bool = True, end: bytes = b"\n") -> bytes:
    return b"".join(
        (row.raw if row.raw is not None
         else json.dumps(dict(zip(names, row.cells, strict=True)), ensure_ascii=ascii_only).encode()) + end
        for row in rows
    )  # fmt: skip


def _json_list(names: list[str], rows: list[Row]) -> bytes:
    return b"[" + b",\n".join(_json_lines(names, [row], end=b"") for row in rows) + b"]"


def _parquet(names: list[str], rows: list[Row]) -> bytes:
    target = io.BytesIO()
    cells = list(zip(*(row.cells for row in rows), strict=True))
    pq.write_table(
        pa.table(dict(zip(names, (pa.array(column, pa.string()) for column in cells), strict=True))), target
    )
    return target.getvalue()


def _zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", content)
    return target.getvalue()


def _packed(pack: Callable[[bytes], bytes]) -> Callable[..., bytes]:
    return lambda names, rows: pack(_divided(",")(names, rows))


def _shapes(delimiter: bytes) -> tuple[bytes, ...]:
    return (b'"1"', b'""', b" ", b"\x0b", b'"x"y', b"\0", b"?", b'"\xed\xa0\x80"', b'"\xff\x81"', delimiter * 60,
            delimiter.join([b'"1"'] * 60), b'"1"' + delimiter + b'"\nno, "b')  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A format: the ending of its files, how it is written, its bad shapes, and which text it can hold."""

    ending: str
    write: Callable[[list[str], list[Row]], bytes]
    malformed: tuple[bytes, ...] = ()
    can: Callable[[str], bool] = lambda text: True


def _is_western(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


FORMS = {
    "commas": Form(".csv", _divided(","), _shapes(b",")),
    "Windows line ends": Form(".csv", _divided(",", end="\r\n"), _shapes(b",")),
    "a mark": Form(".csv", _divided(",", mark=b"\xef\xbb\xbf"), _shapes(b",")),
    "semicolons": Form(".csv", _divided(";"), _shapes(b";")),
    "sep": Form(".csv", _divided(";", mark=b"sep=;\n"), _shapes(b";")),
    "tabs": Form(".tsv", _divided("\t"), _shapes(b"\t")),
    "bars": Form(".dat", _divided("|"), _shapes(b"|")),
    "Windows-1252": Form(".csv", _divided(",", "cp1252"), can=_is_western),
    "UTF-16": Form(".csv", _divided(",", "utf-16-le", mark=b"\xff\xfe")),
    "gzip": Form(".csv.gz", _packed(gzip.compress), _shapes(b",")),
    "zip": Form(".csv.zip", _packed(_zipped), _shapes(b",")),
    "zstd": Form(
        ".csv.zst", _packed(lambda content: pa.compress(content, "zstd", asbytes=True)), _shapes(b",")
    ),
    "JSON lines": Form(".jsonl", _json_lines, _JSON_SHAPES),
    "JSON lines of UTF-8": Form(
        ".jsonl", lambda names, rows: _json_lines(names, rows, ascii_only=False, end=b"\r\n"), _JSON_SHAPES
    ),
    "JSON": Form(".json", _json_list, (b"null", b"[1]", b"42", b'"x"', b"{}", b'{"title": NaN}')),
    "Parquet": Form(".parquet", _parquet),
}
