"""What is in force in a warehouse: what a run that does not reach its end must leave as it was."""

from pathlib import Path


def in_force(warehouse: Path) -> dict[str, bytes]:
    """Tables, report, plots, the landing and which model scores, byte by byte."""
    files = [
        *(warehouse / "published").resolve().glob("*.parquet"),
        *(warehouse / "models").glob("*/current.json"),
        *(warehouse / "plots").glob("*/*.png"),
        *(warehouse / "landing" / "current").resolve().glob("*/*.parquet"),
        warehouse / "report" / "index.html",
    ]
    return {str(file): file.read_bytes() for file in files}
