"""Choosing, starting and checking models: which one, where it runs, and whether it gets the prompts it was trained on.

Knows backends and machines; knows no file of a corpus.
"""
