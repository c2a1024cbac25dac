"""Corpora in object stores: listed with stamps, and fetched into a bounded cache for those who read files.

Knows obstore and files of its own; knows no format, no model and no index.
"""
