"""Generators as ONNX files: written with their recipe, and read from whoever made them."""
