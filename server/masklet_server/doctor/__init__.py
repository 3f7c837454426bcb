"""What on this machine could keep a server from working, and what helps."""
