"""Values without I/O: the words of the project. Import them from the module that defines them."""
