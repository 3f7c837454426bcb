"""Who did what on a server, in lines that cannot be changed unnoticed."""
