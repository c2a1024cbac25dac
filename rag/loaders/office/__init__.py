"""Office documents, EPUB, and the ZIP archives they are.

Knows packages of XML; knows no model and no index.
"""
