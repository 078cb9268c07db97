"""`matinee score`: the segment of new entities, by the stored model."""
