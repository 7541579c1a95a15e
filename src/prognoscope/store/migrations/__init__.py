"""The catalogue's history, and the way of a database to its newest form."""
