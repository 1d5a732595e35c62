"""What the first paper printed: Ghandeharioun et al. 2019, Characterizing sources of uncertainty to proxy calibration
and disambiguate annotator and data bias. Its figures in its units; nothing here was measured by this project."""

VALIDATION_ACCURACY = {  # table 1, %
    "casia-webface": (49.85, 54.27, 52.81, 55.75, 52.45, 52.50),
    "vggface2": (50.60, 54.80, 55.11, 55.50, 50.69, 50.46),
}
VALIDATION_LOSS = {  # table 1, nats
    "casia-webface": (1.589, 1.516, 1.555, 1.514, 1.580, 1.554),
    "vggface2": (1.607, 1.527, 1.519, 1.513, 1.589, 1.598),
}
CALIBRATION = {  # table 2, %; 'brier' is its BCE
    "baseline": {"ece": 2.330, "mce": 6.231, "sce": 0.479, "ace": 0.390, "tace": 0.393, "brier": 0.661},
    "uncnet": {"ece": 1.876, "mce": 10.326, "sce": 0.417, "ace": 0.526, "tace": 0.506, "brier": 0.649},
}
ACCURACY = {"baseline": 54.848, "uncnet": 56.943}  # table 3, %, of 3,579 faces
ACCURACY_AT_75 = {"u_epistemic": 57.452, "u_aleatoric": 62.481, "u_total": 62.332}  # table 3, %, of 2,684 faces kept
PEARSON_D = {"u_aleatoric": 0.301, "u_epistemic": -0.027}  # section 4.2
PEARSON_JSD = {"u_aleatoric": 0.583, "u_epistemic": 0.100, "u_total": 0.591}
PERCENTILE_BRIER = {"u_aleatoric": 0.880, "u_epistemic": 0.710, "u_total": 0.884}  # its subscripts say JSD
JSD = {"baseline": (0.473, 0.131), "uncnet": (0.461, 0.140)}  # mean, standard deviation; most likely the distance
JSD_T = 9.335  # paired t-test, 3,578 degrees of freedom
