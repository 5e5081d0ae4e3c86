"""Where records, payloads and the log's tree are kept. Each engine passes the contract suites of its ports."""
