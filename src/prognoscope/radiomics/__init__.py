"""Volume, mask and settings to named numbers: radiomics by the Image Biomarker Standardisation Initiative."""

from prognoscope.radiomics.extract import MEASURES, extract, measure_prepared
from prognoscope.radiomics.prepare import Prepared, prepare
from prognoscope.radiomics.settings import FAMILIES, RadiomicsSettings

__all__ = ["FAMILIES", "MEASURES", "Prepared", "RadiomicsSettings", "extract", "measure_prepared", "prepare"]
