"""A synthetic singer: the example clips of the lab, and training phrases steadier than any person's."""
