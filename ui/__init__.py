"""The pages: layout and thin adapters. What is computed comes from `vocoders` and `eval`, which know no Gradio."""
