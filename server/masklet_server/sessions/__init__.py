"""Sessions: who owns prompts and results, and whose frame is next. No torch in here."""
