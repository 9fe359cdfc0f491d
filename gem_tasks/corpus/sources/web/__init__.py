"""Web sites as sources: robots.txt, sitemaps, lists of URLs, and pages that are fetched only if they changed."""
