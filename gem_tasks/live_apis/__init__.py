"""Live APIs (`gem ground-api`): tests whether synthesized tools and calls fit a real API."""
