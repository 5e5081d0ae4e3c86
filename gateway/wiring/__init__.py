"""The composition root: the only place that builds concretes and knows every layer."""
