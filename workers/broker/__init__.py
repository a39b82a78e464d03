"""The way to the broker: what is sent, over which line, and who tells when it leads nowhere."""
