"""The built-in models: words, spelling, colours and shapes.

Knows contents; needs no download, no accelerator and no network.
"""
