"""Pictures: decoding within bounds, telling screenshots apart, and OCR.

Knows Pillow and OCR; knows no model and no index.
"""
