"""From a source to segments: list (`sources/`), read (`reading/`), normalise, detect the language, segment."""
