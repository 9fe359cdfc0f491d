"""The JavaScript engine of a world, alone in a confined child process."""
