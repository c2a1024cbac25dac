"""An open index, read as it stood at one commit.

Knows catalog and vectors; writes nothing.
"""
