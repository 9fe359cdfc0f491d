"""DOCX to Markdown: text boxes, notes, tables, and the numbers that Word computes for lists."""
