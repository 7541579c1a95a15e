"""Prognoscope: from medical images and clinical records to honest, usable outcome predictions.

`prognoscope.run("study.yaml")` is the command `prognoscope run study.yaml` in Python.
"""

__version__ = "0.1.0"
