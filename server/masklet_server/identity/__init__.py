"""Who calls: tokens and certificates, and whose user and tenant they name."""
