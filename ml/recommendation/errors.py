"""The one error that recommending raises for input it cannot honestly work with.

Belongs here: the error type. Does not belong here: messages (they stand where the rule is checked).
"""


class RecommendationError(ValueError):
    """The data cannot give what was asked for; the message says why and what to change."""
