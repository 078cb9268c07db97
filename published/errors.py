"""What can be wrong with a published set, in words that say what to do.

Belongs here: the errors. Does not belong here: finding out (`published.sets`, `published.finding`).
"""


class PublishedError(RuntimeError):
    """The published set cannot be read; the message says what to do."""


class NothingPublishedError(PublishedError):
    """No run has published anything here yet."""


class SetVanishedError(PublishedError):
    """The folder was removed while it was read, because newer sets were published: resolve the link again."""


class TableError(PublishedError):
    """One table of the set is absent, older than this program or damaged; the others can be read."""
