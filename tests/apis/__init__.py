"""Five small descriptions in the forms that public APIs have, and a server that enforces them."""
