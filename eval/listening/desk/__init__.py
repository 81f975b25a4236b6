"""The owner's side of a study while it runs: its progress, what looking early costs, what may be pooled, previews."""
