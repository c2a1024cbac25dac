"""The built-in models, which compare words, spelling, colours and shapes.

Knows contents; knows no file. Needs no download, no accelerator and no network.
"""
