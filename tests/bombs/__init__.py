"""Files that are made to cost whoever reads them as much memory or time as possible."""
