"""A small classifier that predicts which texts the paid filter would reject. Pure: no I/O."""
