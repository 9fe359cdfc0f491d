"""One stage over one shard, asked through a Batch API."""
