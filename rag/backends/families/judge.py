"""The system turn of the Qwen3 rerankers, and what vLLM must be told to read a judging language model as a classifier.

Knows no family.
"""

JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. "
    'Note that the answer can only be "yes" or "no".'
)
