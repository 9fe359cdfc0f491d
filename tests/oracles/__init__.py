"""Endpoints that know a benchmark's answers, and one that knows nothing: they test harness and runner, not models."""
