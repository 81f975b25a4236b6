"""Systems that provoke what real ones do rarely."""

from vocoders.features import hw2_mel
from vocoders.systems import Card, System


def fake_system(id: str, vocoder=None, steps=(hw2_mel,)) -> System:
    """A system around any function of features."""
    return System(id, f"The {id}", "A fake.", steps, lambda: vocoder, lambda: Card(0, "-", "-"))
