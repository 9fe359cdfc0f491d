"""Live APIs (`gem ground-api`): do synthesized tools and calls fit an API that exists?"""
