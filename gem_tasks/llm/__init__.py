"""The LLM endpoint: one client behind the `ChatClient` port."""
