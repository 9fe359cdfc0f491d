"""The docs site: pages generated from the code, and MkDocs' hooks for them."""
