"""`matinee replicate`: the published analysis repeated, and every published figure beside ours."""
