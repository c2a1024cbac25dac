"""ROOM 3: numbers ↔ folder. The table of search structures, by name.

Knows names; imports none of them.
"""

STRUCTURES = {
    "exact": "rag.index.vectors.exact:ExactStructure",
    "coarse": "rag.index.vectors.coarse:CoarseStructure",
    "ivf": "rag.index.vectors.ivf:InvertedStructure",
}
