"""Videos: the frames worth keeping.

Knows decord and PyAV; knows no model and no index.
"""
