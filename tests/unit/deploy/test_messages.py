"""What docs/how-to/operate.md explains is what Matinee says."""

import ast
import re
from functools import cache

import pytest

from tests.conftest import PROJECT_ROOT

ROOMS = ("dashboard", "ingest", "ml", "orchestration", "published", "report")
OPERATE = (PROJECT_ROOT / "docs" / "how-to" / "operate.md").read_text(encoding="utf-8")


def explained() -> list[str]:
    """Return the messages of the tables whose first column is headed so."""
    _, _, told = OPERATE.partition("## What a failure means")
    tables = re.findall(r"^\| message \|.*\n\|[-|]+\n((?:\|.*\n)+)", told, re.MULTILINE)
    return [message for table in tables for message in re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)]


@cache
def said() -> list[str]:
    """Return every text of the code, `…` for what is put into it, and the names of dbt's tests."""
    texts = [path.stem for path in (PROJECT_ROOT / "dbt_project" / "tests").rglob("*.sql")]
    for path in (path for room in ROOMS for path in (PROJECT_ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


@pytest.mark.parametrize("message", explained())
def test_every_message_that_is_explained_is_one_that_the_code_says(message):
    parts = [part.strip() for part in message.split("…") if len(part.strip(" .,:()")) > 2]
    # What begins a message may be put before it where it is shown, as where a file is.
    pattern = ".*".join(
        re.escape(part) for part in parts[message.startswith("dbt build: …") and len(parts) > 1 :]
    )
    assert any(re.search(pattern, text, re.DOTALL) for text in said()), pattern


def test_many_are_explained():
    assert len(explained()) > 40
