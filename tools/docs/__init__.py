"""The docs site: pages that are generated from the code when it is built, and the hooks with which MkDocs asks for them."""
