"""From a source to segments: list, read, normalise, detect the language, segment."""
