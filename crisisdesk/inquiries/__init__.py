"""Single posts that need an answer, and what people do about them."""
