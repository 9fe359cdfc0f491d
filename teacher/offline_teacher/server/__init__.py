"""The OpenAI protocol's double: requests, answers, files and batches over HTTP, and every fault on demand."""
