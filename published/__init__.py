"""The one way to read what is published: its contract, finding a set, asking it."""
