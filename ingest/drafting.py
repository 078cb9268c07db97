"""A declaration as text for a person to go on from: what was found, and doubts as comments.

Belongs here: YAML with comments. Does not belong here: what it says (`ingest.inspect`), reading one
(`ingest.declarations`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ingest.declarations import ColumnRule, TableRule
from ingest.rawfiles import RawFile
from ingest.recognise import Raw

_LAYOUT_ONLY = {"named", "proof", "first_line"}
_MOST_NAMES = 3
_PLACES = {"files", "database", "table", "query"}


def draft(
    title: str, tables: Sequence[tuple[str, TableRule, Mapping[str, str], str]], unused: Mapping[str, str]
) -> str:
    """Return a declaration.

    Parameters
    ----------
    title
        What it was made of, for its first line.
    tables
        Name of the table, its rule, doubts by column, and why it cannot be used; that one is written as a comment.
    unused
        Files that nothing is made of, and why.
    """
    lines = [
        f"# {title}",
        "# Lines with a ? were guessed and need a person; `matinee inspect` on this file tells what comes of them.",
    ]
    for name, rule, doubts, problem in tables:
        block = _table(name, rule, doubts)
        if problem:
            block = [f"# {line}" for line in (f"This does not land yet: {problem}", *block)]
        lines += ["", *block]
    if unused:
        lines += ["", "# Not used:", *(f"#   {file}: {why}" for file, why in unused.items())]
    return "\n".join(lines) + "\n"


def place(rule: TableRule, files: Sequence[Raw], folder: Path) -> TableRule:
    """Return a rule whose files are those that were found, named from the folder of the declaration."""
    if not all(isinstance(file, RawFile) for file in files):
        return rule
    paths = [file.path / (file.member or "") for file in files if isinstance(file, RawFile)]
    folder = folder.absolute()
    names = tuple(
        (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()
        for path in (path.absolute() for path in paths)
    )
    return rule.model_copy(update={"files": _shortly(names, folder), "named": ()})


def _shortly(names: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Return one pattern for many files, where it finds exactly these."""
    if len(names) <= _MOST_NAMES:
        return names
    common = Path(os.path.commonpath(names))
    deep = "" if all(Path(name).parent == common for name in names) else "**/"
    pattern = f"{deep}*{Path(names[0]).suffix}"
    found = [path for path in (folder / common).glob(pattern) if path.is_file()]
    return ((common / pattern).as_posix(),) if len(found) == len(names) else names


def _table(name: str, rule: TableRule, doubts: Mapping[str, str]) -> list[str]:
    said = rule.model_dump(exclude_defaults=True, exclude=_LAYOUT_ONLY | {"columns"})
    said = {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}
    lines = [f"{name}:"]
    for key in sorted(said, key=lambda key: key not in _PLACES):
        value = said[key]
        value = value[0] if key == "files" and len(value) == 1 else value
        lines.append(f"  {key}: {_scalar(value)}")
    lines.append("  columns:")
    for column, of in rule.columns.items():
        doubt = f"  # ? {doubts[column]}" if column in doubts else ""
        lines.append(f"    {column}: {column_text(of)}{doubt}")
    lines += [f"    # ? {column}: {doubt}" for column, doubt in doubts.items() if column not in rule.columns]
    return lines


def column_text(rule: ColumnRule) -> str:
    """Return what a declaration says of a column, on one line."""
    said = rule.model_dump(exclude_defaults=True)
    value: Any = list(rule.value) if len(rule.value) > 1 else rule.value[0]
    if set(said) == {"value"}:
        return _scalar(value)
    return _scalar({**{k: list(v) if isinstance(v, tuple) else v for k, v in said.items()}, "value": value})


def _scalar(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
