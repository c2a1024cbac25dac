"""The writer: puts documents and vectors into an index, and commits.

Knows the catalog and segments; answers no query.
"""
