"""What can be known before a run: whether the models answer, and what the run would take."""
