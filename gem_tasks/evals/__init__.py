"""Evaluates models in the field's standard harnesses, computes statistics, and decides about promotion."""
