"""Where alerts leave the building: one file per kind of output, and the loop that delivers what each owes."""
