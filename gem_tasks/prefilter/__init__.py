"""A small classifier that knows which texts the paid filter would reject anyway. Pure: no I/O."""
