"""What every part needs that speaks to the outside: signatures, proxies, limits, and why there was no answer."""
