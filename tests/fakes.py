"""Systems that provoke what real ones do rarely."""

from vocoders.features import hw2_mel
from vocoders.systems import Card, System


def fake_system(system_id: str, vocoder=None, steps=(hw2_mel,)) -> System:
    """A system around any function of features."""
    return System(system_id, f"The {system_id}", "A fake.", steps, lambda: vocoder, lambda: Card(0, "-", "-"))
