"""`--model small`: a text encoder and an image-text encoder on onnxruntime, in one vector, for machines without a card or torch.

Knows nothing but this: see `embedder`.
"""
