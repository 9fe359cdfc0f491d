"""Markup languages of documentation to Markdown: reStructuredText, AsciiDoc, MDX."""
