"""Accepted trajectories as dataset versions, cards and exports."""
