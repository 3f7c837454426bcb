"""Tracking, mattes and exports."""
