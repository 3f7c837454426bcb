"""The gRPC face of the server: read a message, call a session, reply. No torch in here."""
