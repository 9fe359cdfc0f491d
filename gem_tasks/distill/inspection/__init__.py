"""Looks through a model's folder before any program loads it: files, settings, templates, tokenizer, tensors.

`require.py` runs in GEM and starts `inside.py` confined, which reads the folder: GEM parses no foreign file with its
own rights. Modules that run inside import the standard library and Jinja only.
"""
