"""Confines third-party programs: the files they may see, the endpoints they may call, the resources they may use."""
