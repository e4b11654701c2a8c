"""Files of posts: read once, replayed, or followed while they grow and are rotated."""
