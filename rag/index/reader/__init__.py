"""The reader: an open index, searched as of one commit.

Knows the catalog and the vectors; changes neither, and writes only derived files.
"""
