"""The offline teacher: a rule-based, OpenAI-compatible stand-in for a language model."""
