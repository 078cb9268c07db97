"""What is not shown as it is: an id that is an e-mail address tells who somebody is, a path whose machine it was.

Belongs here: what stands for them on pages and in the terminal. Does not belong here: published tables and files
made of them, which keep ids as the source writes them.
"""

import hashlib
import os
import re

SHOW_EMAILS = "MATINEE_SHOW_EMAILS"
_PART = r"[^\s@,;:|\"'<>()]"
# Bounded by how long an address may be, and begun only where one can: else a text of 100,000 letters takes minutes.
_EMAIL = re.compile(rf"(?<!{_PART}){_PART}{{1,64}}@{_PART}{{1,190}}\.{_PART}{{1,63}}")

_FOLDERS = re.compile(
    r"(?<![\w/\\.~:-])(?:~|[A-Za-z]:)?[/\\](?:[^/\\\s:;,'\"()][^/\\\n:;,'\"()]*[/\\])*(?=[^\s/\\])"
)


def hide_folders(text: str) -> str:
    """Return a text with files and folders by their own names, without where on a machine they lie."""
    return _FOLDERS.sub("", text.rstrip("/\\"))


def hide_emails(text: str) -> str:
    """Return a text with `a***@… #1f3b9c` for each e-mail address in it, unless the setting shows them.

    The digits are those of a hash, so that two people stay two.
    """
    if os.environ.get(SHOW_EMAILS, "").strip().lower() in ("true", "1", "yes", "on"):
        return text
    return _EMAIL.sub(lambda found: _hidden(found[0]), text)


def _hidden(address: str) -> str:
    return f"{address[0]}***@… #{hashlib.sha256(address.encode()).hexdigest()[:6]}"
