"""Traces and metrics over OpenTelemetry: `calls` is what is seen, `otlp` where it goes, `spans` in which form."""
