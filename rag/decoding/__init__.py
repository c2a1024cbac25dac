"""Confined worker processes, the only ones that open strangers' files: jobs go out, passages and pixels come back.

Knows loaders and processes; knows no model and no index. The processes of `rag.showing` are others: they are handed an open file
and not a path, give one answer to somebody who waits, and write the videos they make, which these may not.
"""
