"""The HiFi-GAN generator and what runs it."""
