"""Finding what needs a look, and comparing a track with the one before."""
