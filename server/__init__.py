"""What a public app needs around its page: limits, processes, logs, health."""
