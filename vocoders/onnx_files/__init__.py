"""Generators as ONNX files: written with their recipe, and read from any program."""
