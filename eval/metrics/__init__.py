"""Each metric beside its formula, and the table of all.

A metric is a function of (reference, estimate) under `@metric(...)` of `eval.metrics.metric`, in one of these modules.
"""

MODULES = (
    "spectral",
    "pitch",
    "crepe",
    "note_stability",
    "alignment",
    "predicted_mos",
    "distill_mos",
)  # in order of the table
