"""Keeps requests within a model's window."""
