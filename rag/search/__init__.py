"""THE READ PATH: a query to ranked hits.

Knows an open index and its models; prints nothing and serves nothing.
"""
