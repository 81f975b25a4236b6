"""Training in the page: runs in processes of their own, one after another, and the tab that asks for them and follows them."""
