"""`python -m orchestration` is `matinee`."""

from orchestration.cli import main

main()
