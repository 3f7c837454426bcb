"""What is done in the threads of jobs: a plate's session on the server, and the work on it."""
