"""`matinee recommend`: titles for a user, or for somebody who likes a few."""
