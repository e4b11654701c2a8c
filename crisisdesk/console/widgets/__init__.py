"""The parts of a screen; each is told what to show and knows no desk."""
