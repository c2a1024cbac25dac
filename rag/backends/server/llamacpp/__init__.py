"""The dialect of llama.cpp's server: what it says of itself, the form of its inputs, and how its vectors become scores.

Knows names of modules; imports none of them.
"""
