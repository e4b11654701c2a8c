"""The desk over HTTP. Every answer is JSON; a refusal is `{"error": "what; what to do"}`."""
