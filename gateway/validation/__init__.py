"""What a message must be before anything else looks at it: limits, target, JSON, schemas. Pure; imports only model."""
