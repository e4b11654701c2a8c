"""From spike to incident: its life, its record on disk, and what the outputs still owe."""
