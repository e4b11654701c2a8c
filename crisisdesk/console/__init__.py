"""The console: Textual screens that show one frozen picture of the desk at a time and act through it."""
