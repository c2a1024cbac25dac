"""Folders to documents: the walk, what it leaves out, companion files, and digests.

Knows names, stamps and bytes; parses no document.
"""
