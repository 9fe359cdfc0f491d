"""People's judgement of the data: a sample at random, ratings, agreement, and whether a dataset version is audited."""
