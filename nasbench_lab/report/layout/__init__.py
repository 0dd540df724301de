"""The places of the parts of a drawing, as plain data: figures and the page draw the same layout."""
