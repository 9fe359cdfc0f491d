"""Worlds for readers: tables, code and tasks of a world, and what the calls of a conversation changed in it."""
