"""Replies that are made to cost memory, and what they cost."""
