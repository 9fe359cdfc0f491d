"""One stage over one shard, asked online."""
