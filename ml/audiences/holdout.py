"""Who is held out: a share of all ids, by their hash.

Belongs here: the one rule, in Python and as SQL that gives the same. Does not belong here: shares and salt (settings).

A person is at a place between 0 and 1 that hangs on the salt and the id alone, and is held out where it is below the
share. So nobody is remembered, nothing that is fitted anew moves anybody, and a larger share keeps who was held out.
"""

import hashlib

_DIGITS = 13
"""Of the hash, in hexadecimal: 52 bits, which a double holds exactly."""
_APART = "\x1f"
"""Stands in no id, so that no two inputs run into one."""


def place(entity_id: str, salt: str, audience: str = "") -> float:
    """Return the place of an id, 0 to 1; that in one audience tells nothing of that in another or in all (no name)."""
    digest = hashlib.sha256(f"{_prefix(salt, audience)}{entity_id}".encode()).hexdigest()
    return int(digest[:_DIGITS], 16) / 16**_DIGITS


def place_sql(entity_id: str, salt: str, audience: str) -> str:
    """Return the same as an expression of DuckDB, given those of the id and of the audience's name."""
    salted = f"'{salt.replace(chr(39), chr(39) * 2)}' || chr(31)"
    hashed = f"sha256({salted} || {audience} || chr(31) || {entity_id})"
    return f"(cast('0x' || left({hashed}, {_DIGITS}) as bigint) / {16**_DIGITS}.0)"


def fingerprint(salt: str) -> str:
    """Return what tells one salt from another, and not what it is."""
    return hashlib.sha256(f"fingerprint{_APART}{salt}".encode()).hexdigest()[:12]


def _prefix(salt: str, audience: str) -> str:
    return f"{salt}{_APART}{audience}{_APART}"
