"""Whole runs in temporary warehouses; the command line and the finished runs are `tests.conftest`'s."""

from tests.conftest import Answer, Matinee

__all__ = ["Answer", "Matinee"]
