"""Where posts come from: one room per network or form, each of which makes Posts of what comes and nothing else."""
