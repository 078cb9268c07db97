"""`matinee evaluate`: a recommender judged on held-out ratings."""
