"""The pages: layout and thin adapters. `vocoders` and `eval` compute, and do not import Gradio."""
