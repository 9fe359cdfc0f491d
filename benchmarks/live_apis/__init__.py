"""How well the tools of others are mapped to operations of public APIs."""
