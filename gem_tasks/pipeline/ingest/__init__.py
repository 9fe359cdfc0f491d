"""From a source's objects to recorded segments."""
