"""/api: how programs use the app, for those who write them."""
