"""The BigVGAN generator."""
