"""One writer: what is put into the index, and the commit.

Knows catalog and segments; reads no query.
"""
