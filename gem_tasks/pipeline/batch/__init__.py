"""Runs one stage over one shard through a Batch API."""
