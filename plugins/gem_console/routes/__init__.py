"""Routers by what they serve; `app.py` includes them and sets their permissions."""
