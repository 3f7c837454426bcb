"""Files that Nuke runs by itself, as they are put on its path: they stand alone and survive every error."""
