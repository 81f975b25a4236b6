"""From a waveform to a mel-spectrogram and back: every vocoder of the comparison, and nothing that judges or shows it."""
