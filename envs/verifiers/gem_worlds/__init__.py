"""Tasks in worlds made from texts: tools that really run, a user who wants something, a goal that decides."""

from gem_worlds.env import WorldsEnv
from gem_worlds.taskset import WorldsTaskset

__all__ = ["WorldsEnv", "WorldsTaskset"]
