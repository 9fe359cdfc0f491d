"""Finds every regular expression of the package, and strings that may be hard for it."""
