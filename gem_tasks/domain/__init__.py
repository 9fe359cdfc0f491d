"""Values without I/O: the vocabulary of the project. Import each from the module that defines it."""
