"""Worlds for other programs: an MCP server, and environments for reinforcement learning.

| module | answers |
|---|---|
| `library`, `stored` | which worlds are there? |
| `room` | what happens when one client calls the tools of a world? |
| `mcp_server` | how does an MCP client see it? |
| `serving` | who may connect? |
| `rows` | which tasks can be environments? |
| `vendored`, `write` | what is in a package? |
| `kit` | how does a package play a task, without GEM? |
"""
