"""The pages for people: what runs here, and how to use it, with nothing from another server."""
