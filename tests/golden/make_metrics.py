"""Writes metrics.json: the spectral metrics of a fixed tone against itself with noise. Run from the repository root:

python -m tests.golden.make_metrics
"""

import json

from eval.metrics.registry import METRICS
from tests.conftest import harmonic_tone
from tests.eval.metrics.test_metrics import GOLDEN, SPECTRAL, noisy

if __name__ == "__main__":
    tone = harmonic_tone()
    values = {name: METRICS[name].compute(tone, noisy(tone, 0.02)) for name in SPECTRAL}
    GOLDEN.write_text(json.dumps(values, indent=2) + "\n")
