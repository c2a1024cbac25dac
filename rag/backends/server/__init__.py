"""Models behind HTTP: vLLM, or any server with the API of OpenAI, Jina or Cohere.

Knows endpoints; knows no file and no index.
"""
