"""What the repository needs for itself and no user installs: the release, and the generated pages of the docs."""
