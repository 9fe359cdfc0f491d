"""What keeps results and models in order between runs."""
