"""Models behind HTTP: vLLM, or anything that speaks as OpenAI, Jina or Cohere do.

Knows endpoints; knows no file and no index.
"""
