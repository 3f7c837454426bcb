"""What a farm needs pictures for: mattes and plates are measured, for the rules in ``masklet.farm``."""
