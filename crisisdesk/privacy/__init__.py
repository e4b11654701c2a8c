"""Whose posts these are: pseudonyms, how long anything is kept, what is erased, who may read the files."""
