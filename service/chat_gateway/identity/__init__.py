"""Who is asking: passwords, tokens and the keys that sign them."""
