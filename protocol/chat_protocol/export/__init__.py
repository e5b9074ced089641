"""Documents made from the schemas: AsyncAPI and JSON Schema."""
