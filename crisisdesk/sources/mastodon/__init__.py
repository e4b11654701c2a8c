"""Mastodon: what a server streams, and its timelines where the stream had a gap."""
