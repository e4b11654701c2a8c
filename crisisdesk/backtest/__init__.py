"""What a recording would have brought: each incident's story, other budgets, and simpler rules on the same posts."""
