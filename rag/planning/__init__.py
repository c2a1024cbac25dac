"""Sizing: what a corpus needs of memory, disk, machines and hours, by formulas that are shown.

Knows numbers and measures nothing.
"""
