"""The benchmark from the user's own documents: tasks in worlds, played by a model under test and a simulated user."""
