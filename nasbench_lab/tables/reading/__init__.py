"""Reading other people's file formats without giving them a chance to run code or to use up the memory."""
