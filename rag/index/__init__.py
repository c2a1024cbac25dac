"""ROOM 3: numbers ↔ folder. The table of search structures, by name."""

STRUCTURES = {
    "exact": "rag.index.exact:ExactStructure",
    "coarse": "rag.index.coarse:CoarseStructure",
    "ivf": "rag.index.ivf:InvertedStructure",
}
