"""How often the diagnosis of a mel file is right."""
