"""Files of other programs, through the commands, the page and a study, give the samples that those programs make of a recording, from
its mel on. The values are the originals' own (`tests/golden/make_outputs.py`)."""

from tests.family_files import OUTPUTS, in_lightning, in_module, without_weight_norm

KINDS = {name: (name, None) for name in OUTPUTS} | {
    "DataParallel": ("HiFi-GAN, resblock 2", in_module),
    "Lightning": ("HiFi-GAN, resblock 1", in_lightning),
    "weight norm removed": ("HiFi-GAN, resblock 1", without_weight_norm),
}
TOLERANCE = 1e-4  # of full scale; half a step of 16 bits is 1.5e-5
