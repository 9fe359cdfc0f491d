"""The quality of results: gates, agreement of judge and checks, and refused conversations with their revisions."""
