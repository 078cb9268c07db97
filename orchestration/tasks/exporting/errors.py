"""What keeps a list from going out, in words; no message holds a secret or who is on the list."""


class ExportError(RuntimeError):
    """An export cannot be made; the message says why and what to do."""


class ExportRefusedError(ExportError):
    """An export would send what its declaration does not allow."""


class DestinationError(ExportError):
    """The destination did not take a delivery, or took a part; the next call goes on from there."""
