"""Importing the report is cheap: commands that draw nothing do not wait for matplotlib."""

import subprocess
import sys


def test_importing_the_report_imports_no_drawing_library() -> None:
    code = "import sys; import prognoscope.report; print(*(m for m in ('matplotlib', 'jinja2') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_public_names_are_those_that_exist() -> None:
    import prognoscope.report as report

    for name in report.__all__:
        assert hasattr(report, name)
