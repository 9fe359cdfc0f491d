"""Files that are made to cost their reader as much memory or time as possible."""
