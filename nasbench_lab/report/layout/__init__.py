"""Where the parts of a drawing lie, as plain data: figures and the page paint the same layout."""
