"""`matinee run`: the whole graph, from raw files to the report."""
