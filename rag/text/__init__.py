"""Words: how they are analysed, what a query means by them, and which of them to show.

Knows strings; knows no file, no index and no model.
"""
