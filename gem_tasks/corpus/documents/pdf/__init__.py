"""PDF to Markdown: words from pdfium, then lines, tables, columns, paragraphs and lists by their positions."""
