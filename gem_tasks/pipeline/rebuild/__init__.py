"""What the current recipes would recompute: plans, stale results, ranges of partitions, comparisons."""
