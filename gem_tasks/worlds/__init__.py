"""Worlds: small executable systems behind a text's tools, so that calls have real results."""
