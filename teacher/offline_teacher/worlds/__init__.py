"""Executable worlds for the tools of a workflow: generic tables and functions, tasks over them, and both players."""
