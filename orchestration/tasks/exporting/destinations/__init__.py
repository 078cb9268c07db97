"""Ways to where lists go: each takes a delivery as a whole or goes on where it was stopped."""
