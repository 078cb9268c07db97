"""`python -m orchestration` is `matinee`."""

from orchestration.commands.cli import main

main()
