"""Short-time spectra: Griffin-Lim, mel inversion, refinement."""
