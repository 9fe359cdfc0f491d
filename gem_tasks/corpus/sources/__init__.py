"""The contents of a source: a folder, a bucket, a dataset on the Hub."""
