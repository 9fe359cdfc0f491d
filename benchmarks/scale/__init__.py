"""A simulation of GEM at a size that nobody has run."""
