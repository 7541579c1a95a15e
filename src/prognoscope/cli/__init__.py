"""Doors for people: parse, call one function, show."""

from prognoscope.cli.app import main

__all__ = ["main"]
