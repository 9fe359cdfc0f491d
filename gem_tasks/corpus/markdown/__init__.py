"""The structure of Markdown: blocks, fences, comments, what describes the document."""
