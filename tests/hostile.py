"""Texts that something might run, choke on or show wrongly, and a published set that is full of them."""

import shutil
from pathlib import Path

import polars as pl

HOSTILE = (
    "<script>document.title='ran'</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>',
    "javascript:alert(1)", "{{7*7}}{% raise %}", "${jndi:ldap://x}", "'; DROP TABLE ratings; --", "' OR '1'='1",
    "=HYPERLINK(\"http://x\")", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "a;=1+1", "x\n=1+1",
    "\u200b=1+1", "＝1+1", "%s%n%x", "../../etc/passwd", "a\0b", "\x01\x02\x1b[31m", "\x85\u2028\u2029", "\u202eRTL",
    "zero\u200bwidth\ufeff", "👩‍👩‍👧 𝒳", "é ñ ü", "quo\"te", '""', '"', "it's", "back\\slash",
    "ends with \\",
    "[x](javascript:1)", "*b* _i_ `c` $x$", "x" * 70_000, "two\nlines", "two\r\nlines",
    "NULL", "None", "nan", "[" * 2_000, " ", "\u00a0",
)  # fmt: skip

_FROM_DATA = {
    "title",
    "original_title",
    "genres",
    "languages",
    "countries",
    "runtime",
    "device",
    "subscription",
    "region",
    "reason",
    "raw_text",
    "source",
    "segment_name",
    "audience",
    "content_strategy",
    "marketing_strategy",
    "name_doubt",
    "sentence",
    "topic",
    "detail",
    "label",
    "genre_label",
    "favourite_genres",
    "favourite_device",
    "found",
}
"""Columns of published tables whose texts people outside wrote, or might have."""


def make_hostile(warehouse: Path, to: Path) -> Path:
    """Copy a published set with a hostile text in every cell that comes from data; equal texts become equal ones."""
    published = to / "published"
    shutil.copytree(warehouse / "published", published)
    for file in published.glob("*.parquet"):
        frame = pl.read_parquet(file)
        texts = [name for name, kind in frame.schema.items() if name in _FROM_DATA and kind == pl.String]
        for name in texts:
            known = frame[name].drop_nulls().unique(maintain_order=True).to_list()
            # No two texts may become one: some are keys.
            renamed = {text: f"{HOSTILE[at % len(HOSTILE)]}{at or ''}" for at, text in enumerate(known)}
            frame = frame.with_columns(pl.col(name).replace(renamed))
        frame.write_parquet(file)
    return to
