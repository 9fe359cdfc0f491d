"""Files to raw documents: decoding, records, web archives."""
