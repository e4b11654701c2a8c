"""Where posts come from: one file per network or form, each of which makes Posts of its frames and nothing else."""
