"""The docs site: pages that are generated from the code, and the hooks through which MkDocs asks for them."""
