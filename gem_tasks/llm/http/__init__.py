"""HTTP/1.1 to one endpoint: directly, through a proxy, or by the official SDK."""
