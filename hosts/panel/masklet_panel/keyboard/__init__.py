"""The keyboard: what every key does, and the sheet that says so."""
