"""From instructions to a workflow: tools, their parameters and order, and concrete calls."""
