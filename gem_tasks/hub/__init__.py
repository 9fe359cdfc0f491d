"""Dataset versions on the Hugging Face Hub: what may be published, in which columns, with which card."""
