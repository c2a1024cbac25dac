"""Room 3: vectors and rows, stored in one index folder. The table of search structures, by name."""

STRUCTURES = {
    "exact": "rag.index.vectors.exact:ExactStructure",
    "coarse": "rag.index.vectors.coarse:CoarseStructure",
    "ivf": "rag.index.vectors.ivf:InvertedStructure",
}
