"""PDF pages and their text layers.

Knows PDFium; knows no model and no index.
"""
