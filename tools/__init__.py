"""Tools of the repository that no user installs: the release, and the generated pages of the docs."""
