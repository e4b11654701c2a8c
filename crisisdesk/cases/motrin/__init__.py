"""The Motrin case: synthetic posts on the documented timeline of November 2008."""
