"""Makes a folder of more than 300 bad files: each with what must become of it. Knows formats; knows nothing of the program."""
