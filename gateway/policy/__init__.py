"""Who may ask what of whom, for which purpose, and how much of the answer: grants as data, decisions with reasons."""
