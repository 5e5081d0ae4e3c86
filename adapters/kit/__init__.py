"""The integrator's kit: what a WSDL or an OpenAPI document says, in one form; samples without anybody's data."""
