"""SOAP providers: WSDL compiled at start, envelopes written and read safely. The only place that knows zeep."""
