"""Judged queries in; how well every stage of a search ranks, out.

Knows judged sets, open indexes and measures; prints nothing. `ir_measures` computes the measures.
"""
