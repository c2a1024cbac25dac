"""Speed and memory against a floor measured in the same run. Not collected by pytest: `make bench` prints a table."""
