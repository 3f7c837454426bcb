"""What an artist has said about a plate: one value for hosts, files and whoever else keeps it."""
