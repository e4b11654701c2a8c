"""Who is called, when, how often, and why: rota, escalation chains and the decision."""
