"""From spike to incident: its life, what people and the desk do to it, and what was spent on false alarms."""
