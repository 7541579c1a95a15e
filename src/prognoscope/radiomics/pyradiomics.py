"""Which feature of ours is which of PyRadiomics, so that published signatures can be applied.

PyRadiomics averages co-occurrence and run length features over directions (IBSI: 3D averaged), so these need
`aggregations: [3D averaged]`. Its names begin with the filter (`original_`, `log-sigma-3-0-mm-3D_`).
Grey levels agree for a fixed number of bins (`binCount`); with `binWidth` PyRadiomics puts the edges at multiples of
the width: give `bin_start` such a multiple.
"""

from __future__ import annotations

from dataclasses import dataclass

from prognoscope.core.problems import refuse
from prognoscope.core.settings import nearest


@dataclass(frozen=True, slots=True)
class Counterpart:
    """IBSI's tag of a feature of PyRadiomics, whose value is ours plus `offset`."""

    tag: str
    offset: float = 0.0


def counterpart(name: str) -> Counterpart:
    """Return what a name such as `original_glcm_Contrast` or `glcm_Contrast` is called here.

    Raises
    ------
    Refused
        `pyradiomics-name-unknown`, also for the two features that the standard does not have (`firstorder_TotalEnergy`,
        `glcm_MCC`) and those whose definitions differ.
    """
    family, feature = name.split("_")[-2:] if "_" in name else ("", name)
    tag = COUNTERPARTS.get(f"{family}_{feature}")
    if tag is None:
        near = nearest(f"{family}_{feature}", COUNTERPARTS)
        raise refuse(
            "pyradiomics-name-unknown",
            subject=name,
            found="the IBSI standard has no such feature",
            remedy=f"did you mean {near}?" if near else "leave it out of the signature",
        )
    return Counterpart(tag, 3.0 if tag == "stat_kurt" else 0.0)


_SHAPE = {
    "MeshVolume": "morph_volume",
    "VoxelVolume": "morph_vol_approx",
    "SurfaceArea": "morph_area_mesh",
    "SurfaceVolumeRatio": "morph_av",
    "Compactness1": "morph_comp_1",
    "Compactness2": "morph_comp_2",
    "SphericalDisproportion": "morph_sph_dispr",
    "Sphericity": "morph_sphericity",
    "Maximum3DDiameter": "morph_diam",
    "MajorAxisLength": "morph_pca_maj_axis",
    "MinorAxisLength": "morph_pca_min_axis",
    "LeastAxisLength": "morph_pca_least_axis",
    "Elongation": "morph_pca_elongation",
    "Flatness": "morph_pca_flatness",
}
_FIRST_ORDER = {
    "Mean": "stat_mean",
    "Variance": "stat_var",
    "Skewness": "stat_skew",
    "Kurtosis": "stat_kurt",
    "Median": "stat_median",
    "Minimum": "stat_min",
    "10Percentile": "stat_p10",
    "90Percentile": "stat_p90",
    "Maximum": "stat_max",
    "InterquartileRange": "stat_iqr",
    "Range": "stat_range",
    "MeanAbsoluteDeviation": "stat_mad",
    "RobustMeanAbsoluteDeviation": "stat_rmad",
    "Energy": "stat_energy",
    "RootMeanSquared": "stat_rms",
    "Entropy": "ih_entropy",
    "Uniformity": "ih_uniformity",
}
_GLCM = {
    "MaximumProbability": "cm_joint_max",
    "JointAverage": "cm_joint_avg",
    "SumSquares": "cm_joint_var",
    "JointEntropy": "cm_joint_entr",
    "DifferenceAverage": "cm_diff_avg",
    "DifferenceVariance": "cm_diff_var",
    "DifferenceEntropy": "cm_diff_entr",
    "SumAverage": "cm_sum_avg",
    "SumEntropy": "cm_sum_entr",
    "JointEnergy": "cm_energy",
    "Contrast": "cm_contrast",
    "Id": "cm_inv_diff",
    "Idn": "cm_inv_diff_norm",
    "Idm": "cm_inv_diff_mom",
    "Idmn": "cm_inv_diff_mom_norm",
    "InverseVariance": "cm_inv_var",
    "Correlation": "cm_corr",
    "Autocorrelation": "cm_auto_corr",
    "ClusterTendency": "cm_clust_tend",
    "ClusterShade": "cm_clust_shade",
    "ClusterProminence": "cm_clust_prom",
    "Imc1": "cm_info_corr1",
    "Imc2": "cm_info_corr2",
}
_GLRLM = {
    "ShortRunEmphasis": "rlm_sre",
    "LongRunEmphasis": "rlm_lre",
    "LowGrayLevelRunEmphasis": "rlm_lgre",
    "HighGrayLevelRunEmphasis": "rlm_hgre",
    "ShortRunLowGrayLevelEmphasis": "rlm_srlge",
    "ShortRunHighGrayLevelEmphasis": "rlm_srhge",
    "LongRunLowGrayLevelEmphasis": "rlm_lrlge",
    "LongRunHighGrayLevelEmphasis": "rlm_lrhge",
    "GrayLevelNonUniformity": "rlm_glnu",
    "GrayLevelNonUniformityNormalized": "rlm_glnu_norm",
    "RunLengthNonUniformity": "rlm_rlnu",
    "RunLengthNonUniformityNormalized": "rlm_rlnu_norm",
    "RunPercentage": "rlm_r_perc",
    "GrayLevelVariance": "rlm_gl_var",
    "RunVariance": "rlm_rl_var",
    "RunEntropy": "rlm_rl_entr",
}
_GLSZM = {
    "SmallAreaEmphasis": "szm_sze",
    "LargeAreaEmphasis": "szm_lze",
    "LowGrayLevelZoneEmphasis": "szm_lgze",
    "HighGrayLevelZoneEmphasis": "szm_hgze",
    "SmallAreaLowGrayLevelEmphasis": "szm_szlge",
    "SmallAreaHighGrayLevelEmphasis": "szm_szhge",
    "LargeAreaLowGrayLevelEmphasis": "szm_lzlge",
    "LargeAreaHighGrayLevelEmphasis": "szm_lzhge",
    "GrayLevelNonUniformity": "szm_glnu",
    "GrayLevelNonUniformityNormalized": "szm_glnu_norm",
    "SizeZoneNonUniformity": "szm_zsnu",
    "SizeZoneNonUniformityNormalized": "szm_zsnu_norm",
    "ZonePercentage": "szm_z_perc",
    "GrayLevelVariance": "szm_gl_var",
    "ZoneVariance": "szm_zs_var",
    "ZoneEntropy": "szm_zs_entr",
}
_NGTDM = {
    "Coarseness": "ngt_coarseness",
    "Contrast": "ngt_contrast",
    "Busyness": "ngt_busyness",
    "Complexity": "ngt_complexity",
    "Strength": "ngt_strength",
}
_GLDM = {
    "SmallDependenceEmphasis": "ngl_lde",
    "LargeDependenceEmphasis": "ngl_hde",
    "LowGrayLevelEmphasis": "ngl_lgce",
    "HighGrayLevelEmphasis": "ngl_hgce",
    "SmallDependenceLowGrayLevelEmphasis": "ngl_ldlge",
    "SmallDependenceHighGrayLevelEmphasis": "ngl_ldhge",
    "LargeDependenceLowGrayLevelEmphasis": "ngl_hdlge",
    "LargeDependenceHighGrayLevelEmphasis": "ngl_hdhge",
    "GrayLevelNonUniformity": "ngl_glnu",
    "DependenceNonUniformity": "ngl_dcnu",
    "DependenceNonUniformityNormalized": "ngl_dcnu_norm",
    "GrayLevelVariance": "ngl_gl_var",
    "DependenceVariance": "ngl_dc_var",
    "DependenceEntropy": "ngl_dc_entr",
}

COUNTERPARTS: dict[str, str] = {
    f"{family}_{feature}": tag + end
    for family, end, names in (
        ("shape", "", _SHAPE),
        ("firstorder", "", _FIRST_ORDER),
        ("glcm", "_3D_avg", _GLCM),
        ("glrlm", "_3D_avg", _GLRLM),
        ("glszm", "", _GLSZM),
        ("ngtdm", "", _NGTDM),
        ("gldm", "", _GLDM),
    )
    for feature, tag in names.items()
}
"""Family and feature of PyRadiomics 3 to our name, without bins."""
