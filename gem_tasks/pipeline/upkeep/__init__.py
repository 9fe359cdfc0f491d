"""Keeps results and models in order between runs."""
