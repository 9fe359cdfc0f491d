"""Routers by what they serve; their rights are given where they are included, in `app.py`."""
