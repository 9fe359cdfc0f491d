"""Worlds for other programs: an MCP server, and environments for reinforcement learning.

| module | answers |
|---|---|
| `room` | what happens when one client calls the tools of a world? |
| `mcp_server` | how does an MCP client see it? |
| `http` | who may connect? |
"""
