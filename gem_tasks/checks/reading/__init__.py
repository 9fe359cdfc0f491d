"""Tools to read conversations: calls with their answers, numbers, dates, names. This folder has no checks."""
