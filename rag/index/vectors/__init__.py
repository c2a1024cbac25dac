"""The dense lane: segments of vectors and the structures that search them.

Knows vectors; of the catalog it knows only segments and vector numbers.
"""
