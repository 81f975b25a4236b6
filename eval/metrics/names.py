"""The names of the metrics and which way each is better, for whoever lists them without loading what computes them."""

from __future__ import annotations

BETTER = {  # "lower", "higher" or, for a signed comparison, "nearest 0"
    "M-STFT": "lower",
    "log-mel L1": "lower",
    "spectral convergence": "lower",
    "log-spectral distance": "lower",
    "MCD": "lower",
    "F0 error": "lower",
    "F0 gross errors": "lower",
    "F0 median error": "lower",
    "F0 RMSE": "lower",
    "V/UV F1": "higher",
    "periodicity RMSE": "lower",
    "log2f0_mean": "lower",
    "F0 jitter": "nearest 0",
    "amplitude flutter": "nearest 0",
    "hop buzz": "nearest 0",
    "loudness": "nearest 0",
    "delay": "nearest 0",
    "PESQ-WB": "higher",
    "ViSQOL": "higher",
    "DNSMOS": "higher",
    "Distill-MOS": "higher",
}
