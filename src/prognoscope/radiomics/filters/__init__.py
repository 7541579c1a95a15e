"""Convolutional filters of the IBSI reference manual, chapter 2 (arXiv 2006.05470)."""

from prognoscope.radiomics.filters.family import FILTERS, Filter, FilterChoice, respond, respond_each

__all__ = ["FILTERS", "Filter", "FilterChoice", "respond", "respond_each"]
