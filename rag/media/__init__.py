"""Turns a stored passage into what a person looks at: pictures, words in context, outlined regions, playable video.

Knows the index, the loaders and files; knows no HTTP, no model and no search.
"""
