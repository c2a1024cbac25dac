"""The SQLite file: roots, documents, passages, full text, and which segments count.

Knows rows; knows no vector.
"""
