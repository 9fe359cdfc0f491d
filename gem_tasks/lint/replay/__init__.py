"""Proves that the executed conversations of a dataset happened as it says: the same steps in the same world again.

| module | answers |
|---|---|
| `recorded` | which steps does a row record, and which results does its conversation show? |
| `shelf` | which world is a row's? |
| `compare` | where do recorded and real results differ? |
| `run` | which rows of these files replay equal? |
"""

from gem_tasks.lint.replay.run import ReplayedRow, Status, replay_files

__all__ = ["ReplayedRow", "Status", "replay_files"]
