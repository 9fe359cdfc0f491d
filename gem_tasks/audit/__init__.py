"""Audits by people: random samples, ratings, agreement, and whether a dataset version is audited."""
