"""The web page. Not built yet: the command line and the Python interface are what there is. Knows nothing."""
