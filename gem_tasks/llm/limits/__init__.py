"""How fast, how many at once, how long: limits of the requests to one endpoint."""
