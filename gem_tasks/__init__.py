"""GEM: validated tool-use trajectories from ordinary text."""
