"""The study: alone knows the order of its stages."""
