"""Answers questions from the index, with sources that can be checked.

Knows the read path and a chat model behind an address; knows no terminal and serves no HTTP.
"""
