"""Where one shot ends and another begins."""
