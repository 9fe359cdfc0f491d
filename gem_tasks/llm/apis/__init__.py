"""APIs that are not chat completions, translated from and to them."""
