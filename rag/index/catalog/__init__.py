"""The catalog, an SQLite file: roots, documents, passages, full text, and which segments are live.

Knows rows; knows no vectors.
"""
