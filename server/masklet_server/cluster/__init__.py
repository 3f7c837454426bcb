"""Many servers behind one address: a directory of sessions, a front door, moves."""
