"""Upkeep: checks, compacts, migrates and repairs an index.

Knows all of the index folder; knows no file of a corpus.
"""
