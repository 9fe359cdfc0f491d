"""Reading English: sentences, the instructions among them, what they are about and what limits them."""
