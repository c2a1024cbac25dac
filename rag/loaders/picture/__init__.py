"""Pictures: opened within bounds, and the words in them.

Knows Pillow and OCR; knows no model and no index.
"""
