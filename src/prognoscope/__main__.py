"""`python -m prognoscope`."""

from prognoscope.cli import main

main()
