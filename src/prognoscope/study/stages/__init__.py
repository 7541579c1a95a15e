"""The stages of a study, one file each; `study/run.py` alone knows their order."""
