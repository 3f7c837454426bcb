"""Training of the embedded model and fine-tuning of any weights of the family."""
