"""What a file says of itself beside its content: title, author, keywords, people, places, rating, date and coordinates.

Knows metadata formats; decodes no content and knows no model.
"""
