"""The desk's database: what must survive a crash, a full disk and an upgrade."""
