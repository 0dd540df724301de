"""Readers of foreign file formats that cannot be made to run code or to exhaust memory."""
