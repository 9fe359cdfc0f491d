"""Reads what an endpoint sent back: completions, streams, complaints, a list of models."""
