"""Next-action accuracy: what a model does at each turn of held-out conversations, given everything before it."""
