"""How one endpoint expects requests for one model: known in advance, or learned and remembered."""
