"""Turns a stored passage into what a person looks at: pictures, outlines of matches, playable video.

Knows the index, the loaders and files; knows no HTTP, no model and no search.
"""
