"""Batch APIs: requests in a file, answers hours later."""
