"""Programs that keep the repository in order; nothing of the service imports them."""
