"""Videos: choosing the frames worth keeping, and decoding them.

Knows decord and PyAV; knows no model and no index.
"""
