"""Converts documents with pages, slides, sheets or chapters to Markdown that knows where each part comes from."""
