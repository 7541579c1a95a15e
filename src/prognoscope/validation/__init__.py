"""Outcomes and risks in, an evaluation out."""
