"""Conversations between two models in a world: the assistant and its user, in separate contexts. No I/O."""
