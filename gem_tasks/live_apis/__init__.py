"""API grounding: do synthesized tools and calls fit an API that exists?"""
