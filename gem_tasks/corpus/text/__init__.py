"""Characters: one spelling of each, scripts, languages, nothing invisible."""
