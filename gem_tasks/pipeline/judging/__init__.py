"""How good the results are: gates, agreement of judge and checks, refused conversations beside their revisions."""
