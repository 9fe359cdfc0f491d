"""Runs one stage over one shard in online mode."""
