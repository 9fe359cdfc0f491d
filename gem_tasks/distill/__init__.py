"""From published trajectories to a model: sets, training, serving, experiments and their reports."""
