"""Bluesky: the public posts of the network, as its Jetstream servers tell them."""
