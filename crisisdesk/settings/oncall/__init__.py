"""Who is called: rotas, chains, hours, and what is wrong with them."""
