"""Small documents of all formats as common programs write them, each with the words a person sees in it, written by hand."""
