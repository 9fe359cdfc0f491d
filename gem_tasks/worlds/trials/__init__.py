"""Trials of a world: its code runs, and must enforce what its tools promise. A failure goes back to the model once."""
