"""A trained synthesizer in the pipeline: which texts it may have, and its stages over a shard."""
