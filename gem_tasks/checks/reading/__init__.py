"""What the checks read conversations with: calls beside answers, numbers, dates, names. Nothing here is a check."""
