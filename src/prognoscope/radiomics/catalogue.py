"""The 169 standardised features of IBSI chapter 1: tag, code, unit and words.

Source: Image Biomarker Standardisation Initiative, reference manual (arXiv 1612.07003) and the table of reference
values; codes are the manual's. Oriented and enclosing boxes and ellipsoids and the area under the intensity-volume
histogram have tags but no reference values, and are not measured.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standard:
    """A feature of the standard.

    Attributes
    ----------
    tag
        IBSI's tag, without the part that tells the aggregation.
    code
        IBSI's code of four characters.
    unit
        `mm`, `mm2`, `mm3`, `mm-1`, `1`, or `intensity` for what has the image's own unit.
    meaning
        Its name in words.
    """

    tag: str
    code: str
    unit: str
    meaning: str


CATALOGUE: dict[str, tuple[Standard, ...]] = {
    "morphology": (
        Standard("morph_volume", "RNU0", "mm3", "volume (mesh)"),
        Standard("morph_vol_approx", "YEKZ", "mm3", "volume (voxel counting)"),
        Standard("morph_area_mesh", "C0JK", "mm2", "surface area (mesh)"),
        Standard("morph_av", "2PR5", "mm-1", "surface to volume ratio"),
        Standard("morph_comp_1", "SKGS", "1", "compactness 1"),
        Standard("morph_comp_2", "BQWJ", "1", "compactness 2"),
        Standard("morph_sph_dispr", "KRCK", "1", "spherical disproportion"),
        Standard("morph_sphericity", "QCFX", "1", "sphericity"),
        Standard("morph_asphericity", "25C7", "1", "asphericity"),
        Standard("morph_com", "KLMA", "mm", "centre of mass shift"),
        Standard("morph_diam", "L0JK", "mm", "maximum 3D diameter"),
        Standard("morph_pca_maj_axis", "TDIC", "mm", "major axis length"),
        Standard("morph_pca_min_axis", "P9VJ", "mm", "minor axis length"),
        Standard("morph_pca_least_axis", "7J51", "mm", "least axis length"),
        Standard("morph_pca_elongation", "Q3CK", "1", "elongation"),
        Standard("morph_pca_flatness", "N17B", "1", "flatness"),
        Standard("morph_vol_dens_aabb", "PBX1", "1", "volume density (AABB)"),
        Standard("morph_area_dens_aabb", "R59B", "1", "area density (AABB)"),
        Standard("morph_vol_dens_aee", "6BDE", "1", "volume density (AEE)"),
        Standard("morph_area_dens_aee", "RDD2", "1", "area density (AEE)"),
        Standard("morph_vol_dens_conv_hull", "R3ER", "1", "volume density (convex hull)"),
        Standard("morph_area_dens_conv_hull", "7T7F", "1", "area density (convex hull)"),
        Standard("morph_integ_int", "99N0", "intensity.mm3", "integrated intensity"),
    ),
    "autocorrelation": (
        Standard("morph_moran_i", "N365", "1", "Moran's I index"),
        Standard("morph_geary_c", "NPT7", "1", "Geary's C measure"),
    ),
    "local_intensity": (
        Standard("loc_peak_loc", "VJGA", "intensity", "local intensity peak"),
        Standard("loc_peak_glob", "0F91", "intensity", "global intensity peak"),
    ),
    "statistics": (
        Standard("stat_mean", "Q4LE", "intensity", "mean"),
        Standard("stat_var", "ECT3", "intensity2", "variance"),
        Standard("stat_skew", "KE2A", "1", "skewness"),
        Standard("stat_kurt", "IPH6", "1", "(Excess) kurtosis"),
        Standard("stat_median", "Y12H", "intensity", "median"),
        Standard("stat_min", "1GSF", "intensity", "minimum"),
        Standard("stat_p10", "QG58", "intensity", "10th percentile"),
        Standard("stat_p90", "8DWT", "intensity", "90th percentile"),
        Standard("stat_max", "84IY", "intensity", "maximum"),
        Standard("stat_iqr", "SALO", "intensity", "interquartile range"),
        Standard("stat_range", "2OJQ", "intensity", "range"),
        Standard("stat_mad", "4FUA", "intensity", "mean absolute deviation"),
        Standard("stat_rmad", "1128", "intensity", "robust mean absolute deviation"),
        Standard("stat_medad", "N72L", "intensity", "median absolute deviation"),
        Standard("stat_cov", "7TET", "1", "coefficient of variation"),
        Standard("stat_qcod", "9S40", "1", "quartile coefficient of dispersion"),
        Standard("stat_energy", "N8CA", "intensity2", "energy"),
        Standard("stat_rms", "5ZWQ", "intensity", "root mean square"),
    ),
    "histogram": (
        Standard("ih_mean", "X6K6", "1", "mean"),
        Standard("ih_var", "CH89", "1", "variance"),
        Standard("ih_skew", "88K1", "1", "skewness"),
        Standard("ih_kurt", "C3I7", "1", "(Excess) kurtosis"),
        Standard("ih_median", "WIFQ", "1", "median"),
        Standard("ih_min", "1PR8", "1", "minimum"),
        Standard("ih_p10", "GPMT", "1", "10th percentile"),
        Standard("ih_p90", "OZ0C", "1", "90th percentile"),
        Standard("ih_max", "3NCY", "1", "maximum"),
        Standard("ih_mode", "AMMC", "1", "mode"),
        Standard("ih_iqr", "WR0O", "1", "interquartile range"),
        Standard("ih_range", "5Z3W", "1", "range"),
        Standard("ih_mad", "D2ZX", "1", "mean absolute deviation"),
        Standard("ih_rmad", "WRZB", "1", "robust mean absolute deviation"),
        Standard("ih_medad", "4RNL", "1", "median absolute deviation"),
        Standard("ih_cov", "CWYJ", "1", "coefficient of variation"),
        Standard("ih_qcod", "SLWD", "1", "quartile coefficient of dispersion"),
        Standard("ih_entropy", "TLU2", "1", "entropy"),
        Standard("ih_uniformity", "BJ5W", "1", "uniformity"),
        Standard("ih_max_grad", "12CE", "1", "maximum histogram gradient"),
        Standard("ih_max_grad_g", "8E6O", "1", "maximum histogram gradient intensity"),
        Standard("ih_min_grad", "VQB3", "1", "minimum histogram gradient"),
        Standard("ih_min_grad_g", "RHQZ", "1", "minimum histogram gradient intensity"),
    ),
    "volume_histogram": (
        Standard("ivh_v10", "NK6P", "1", "volume fraction at 10 % intensity"),
        Standard("ivh_v90", "4279", "1", "volume fraction at 90 % intensity"),
        Standard("ivh_i10", "PWN1", "intensity", "intensity at 10 % volume"),
        Standard("ivh_i90", "BOHI", "intensity", "intensity at 90 % volume"),
        Standard("ivh_diff_v10_v90", "WITY", "1", "volume fraction difference between 10 % and 90 % intensity"),
        Standard("ivh_diff_i10_i90", "JXJA", "intensity", "intensity difference between 10 % and 90 % volume"),
    ),
    "glcm": (
        Standard("cm_joint_max", "GYBY", "1", "joint maximum"),
        Standard("cm_joint_avg", "60VM", "1", "joint average"),
        Standard("cm_joint_var", "UR99", "1", "joint variance"),
        Standard("cm_joint_entr", "TU9B", "1", "joint entropy"),
        Standard("cm_diff_avg", "TF7R", "1", "difference average"),
        Standard("cm_diff_var", "D3YU", "1", "difference variance"),
        Standard("cm_diff_entr", "NTRS", "1", "difference entropy"),
        Standard("cm_sum_avg", "ZGXS", "1", "sum average"),
        Standard("cm_sum_var", "OEEB", "1", "sum variance"),
        Standard("cm_sum_entr", "P6QZ", "1", "sum entropy"),
        Standard("cm_energy", "8ZQL", "1", "angular second moment"),
        Standard("cm_contrast", "ACUI", "1", "contrast"),
        Standard("cm_dissimilarity", "8S9J", "1", "dissimilarity"),
        Standard("cm_inv_diff", "IB1Z", "1", "inverse difference"),
        Standard("cm_inv_diff_norm", "NDRX", "1", "normalised inverse difference"),
        Standard("cm_inv_diff_mom", "WF0Z", "1", "inverse difference moment"),
        Standard("cm_inv_diff_mom_norm", "1QCO", "1", "normalised inverse difference moment"),
        Standard("cm_inv_var", "E8JP", "1", "inverse variance"),
        Standard("cm_corr", "NI2N", "1", "correlation"),
        Standard("cm_auto_corr", "QWB0", "1", "autocorrelation"),
        Standard("cm_clust_tend", "DG8W", "1", "cluster tendency"),
        Standard("cm_clust_shade", "7NFM", "1", "cluster shade"),
        Standard("cm_clust_prom", "AE86", "1", "cluster prominence"),
        Standard("cm_info_corr1", "R8DG", "1", "information correlation 1"),
        Standard("cm_info_corr2", "JN9H", "1", "information correlation 2"),
    ),
    "glrlm": (
        Standard("rlm_sre", "22OV", "1", "short runs emphasis"),
        Standard("rlm_lre", "W4KF", "1", "long runs emphasis"),
        Standard("rlm_lgre", "V3SW", "1", "low grey level run emphasis"),
        Standard("rlm_hgre", "G3QZ", "1", "high grey level run emphasis"),
        Standard("rlm_srlge", "HTZT", "1", "short run low grey level emphasis"),
        Standard("rlm_srhge", "GD3A", "1", "short run high grey level emphasis"),
        Standard("rlm_lrlge", "IVPO", "1", "long run low grey level emphasis"),
        Standard("rlm_lrhge", "3KUM", "1", "long run high grey level emphasis"),
        Standard("rlm_glnu", "R5YN", "1", "grey level non-uniformity"),
        Standard("rlm_glnu_norm", "OVBL", "1", "normalised grey level non-uniformity"),
        Standard("rlm_rlnu", "W92Y", "1", "run length non-uniformity"),
        Standard("rlm_rlnu_norm", "IC23", "1", "normalised run length non-uniformity"),
        Standard("rlm_r_perc", "9ZK5", "1", "run percentage"),
        Standard("rlm_gl_var", "8CE5", "1", "grey level variance"),
        Standard("rlm_rl_var", "SXLW", "1", "run length variance"),
        Standard("rlm_rl_entr", "HJ9O", "1", "run entropy"),
    ),
    "glszm": (
        Standard("szm_sze", "5QRC", "1", "small zone emphasis"),
        Standard("szm_lze", "48P8", "1", "large zone emphasis"),
        Standard("szm_lgze", "XMSY", "1", "low grey level emphasis"),
        Standard("szm_hgze", "5GN9", "1", "high grey level emphasis"),
        Standard("szm_szlge", "5RAI", "1", "small zone low grey level emphasis"),
        Standard("szm_szhge", "HW1V", "1", "small zone high grey level emphasis"),
        Standard("szm_lzlge", "YH51", "1", "large zone low grey level emphasis"),
        Standard("szm_lzhge", "J17V", "1", "large zone high grey level emphasis"),
        Standard("szm_glnu", "JNSA", "1", "grey level non-uniformity"),
        Standard("szm_glnu_norm", "Y1RO", "1", "normalised grey level non-uniformity"),
        Standard("szm_zsnu", "4JP3", "1", "zone size non-uniformity"),
        Standard("szm_zsnu_norm", "VB3A", "1", "normalised zone size non-uniformity"),
        Standard("szm_z_perc", "P30P", "1", "zone percentage"),
        Standard("szm_gl_var", "BYLV", "1", "grey level variance"),
        Standard("szm_zs_var", "3NSA", "1", "zone size variance"),
        Standard("szm_zs_entr", "GU8N", "1", "zone size entropy"),
    ),
    "gldzm": (
        Standard("dzm_sde", "0GBI", "1", "small distance emphasis"),
        Standard("dzm_lde", "MB4I", "1", "large distance emphasis"),
        Standard("dzm_lgze", "S1RA", "1", "low grey level emphasis"),
        Standard("dzm_hgze", "K26C", "1", "high grey level emphasis"),
        Standard("dzm_sdlge", "RUVG", "1", "small distance low grey level emphasis"),
        Standard("dzm_sdhge", "DKNJ", "1", "small distance high grey level emphasis"),
        Standard("dzm_ldlge", "A7WM", "1", "large distance low grey level emphasis"),
        Standard("dzm_ldhge", "KLTH", "1", "large distance high grey level emphasis"),
        Standard("dzm_glnu", "VFT7", "1", "grey level non-uniformity"),
        Standard("dzm_glnu_norm", "7HP3", "1", "normalised grey level non-uniformity"),
        Standard("dzm_zdnu", "V294", "1", "zone distance non-uniformity"),
        Standard("dzm_zdnu_norm", "IATH", "1", "normalised zone distance non-uniformity"),
        Standard("dzm_z_perc", "VIWW", "1", "zone percentage"),
        Standard("dzm_gl_var", "QK93", "1", "grey level variance"),
        Standard("dzm_zd_var", "7WT1", "1", "zone distance variance"),
        Standard("dzm_zd_entr", "GBDU", "1", "zone distance entropy"),
    ),
    "ngtdm": (
        Standard("ngt_coarseness", "QCDE", "1", "coarseness"),
        Standard("ngt_contrast", "65HE", "1", "contrast"),
        Standard("ngt_busyness", "NQ30", "1", "busyness"),
        Standard("ngt_complexity", "HDEZ", "1", "complexity"),
        Standard("ngt_strength", "1X9X", "1", "strength"),
    ),
    "ngldm": (
        Standard("ngl_lde", "SODN", "1", "low dependence emphasis"),
        Standard("ngl_hde", "IMOQ", "1", "high dependence emphasis"),
        Standard("ngl_lgce", "TL9H", "1", "low grey level count emphasis"),
        Standard("ngl_hgce", "OAE7", "1", "high grey level count emphasis"),
        Standard("ngl_ldlge", "EQ3F", "1", "low dependence low grey level emphasis"),
        Standard("ngl_ldhge", "JA6D", "1", "low dependence high grey level emphasis"),
        Standard("ngl_hdlge", "NBZI", "1", "high dependence low grey level emphasis"),
        Standard("ngl_hdhge", "9QMG", "1", "high dependence high grey level emphasis"),
        Standard("ngl_glnu", "FP8K", "1", "grey level non-uniformity"),
        Standard("ngl_glnu_norm", "5SPA", "1", "normalised grey level non-uniformity"),
        Standard("ngl_dcnu", "Z87G", "1", "dependence count non-uniformity"),
        Standard("ngl_dcnu_norm", "OKJI", "1", "normalised dependence count non-uniformity"),
        Standard("ngl_dc_perc", "6XV8", "1", "dependence count percentage"),
        Standard("ngl_gl_var", "1PFV", "1", "grey level variance"),
        Standard("ngl_dc_var", "DNX2", "1", "dependence count variance"),
        Standard("ngl_dc_entr", "FCBV", "1", "dependence count entropy"),
        Standard("ngl_dc_energy", "CAS9", "1", "dependence count energy"),
    ),
}
