"""Who is about to leave: users scored as of a day, by a model that is judged on later days than it learned from."""
