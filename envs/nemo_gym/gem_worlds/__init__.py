"""A resources server of NeMo Gym with tasks in worlds made from texts."""
