"""Logging and metrics: subscribers to what the pipeline tells. No payload and no person's identifier gets here."""
