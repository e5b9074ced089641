"""Where the truth is kept. `base` is the port; `sqlite` and `mongo` stand behind it."""
