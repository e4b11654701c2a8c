"""Whole screens: the desk, one incident, and the small dialogs above them."""
