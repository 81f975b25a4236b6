"""The synchronized player inside files: its value, the script of its modules, and the sounds and pictures that it plays."""
