"""The server around the page: middleware, processes, results, logs, health."""
