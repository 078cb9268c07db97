"""One section of the report a module: its values, and how they are made of published tables."""
