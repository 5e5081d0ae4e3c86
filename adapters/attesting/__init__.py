"""Those who attest the log from outside, over HTTP: witnesses and timestamp authorities."""
