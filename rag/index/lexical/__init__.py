"""The lexical lane: BM25 over the postings of the full text.

Knows terms and counts; knows no vectors.
"""
