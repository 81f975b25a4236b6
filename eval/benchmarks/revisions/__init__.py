"""Two revisions of this project, measured against each other in one run."""
