"""The one error that `ml` raises for input it cannot honestly work with.

Belongs here: the error type. Does not belong here: messages (they stand where the rule is checked).
"""


class SegmentationError(ValueError):
    """The data cannot give the segmentation that was asked for; the message says why and what to change."""
