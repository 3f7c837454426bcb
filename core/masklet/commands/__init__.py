"""What the command line can do, one module per command or pair of commands."""
