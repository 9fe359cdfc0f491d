"""Evaluations in the field's own harnesses, statistics over them, and what follows: promotion, or not."""
