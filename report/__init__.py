"""The self-contained page `report/index.html`: read from what is published, written in one piece."""
