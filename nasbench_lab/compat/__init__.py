"""Drop-in faces of the official APIs over our tables: a script changes one import line."""
