"""A page for whoever keeps a server: what goes on there, read without JavaScript (decision 0059)."""
