"""HTML to Markdown-like text."""
