"""Readers of annotated data sets, one module per layout on disc."""
