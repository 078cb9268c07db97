"""What can be wrong with a published set, in words that say what to do.

Belongs here: the errors. Does not belong here: finding out (`published.sets`, `published.finding`).
"""


class PublishedError(RuntimeError):
    """The published set cannot be read; the message says what to do."""


class NothingPublishedError(PublishedError):
    """No run has published anything here yet."""


class SchemaError(PublishedError):
    """What lies there has a shape that this Matinee does not read; the message says whose it is and what to do."""


class SetVanishedError(PublishedError):
    """The folder was removed while it was read, because newer sets were published: resolve the link again."""


class TableError(PublishedError):
    """One table of the set is absent, older than this program or damaged; the others can be read."""
