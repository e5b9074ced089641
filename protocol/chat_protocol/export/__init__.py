"""Documents made from the schemas: JSON Schema, AsyncAPI, and the tables of the reference."""
