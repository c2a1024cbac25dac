"""The dense lane: segments of vectors and the structures that search them.

Knows numbers; knows no row of the catalog.
"""
