"""The `gem` command."""
