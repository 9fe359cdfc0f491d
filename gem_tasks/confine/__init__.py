"""Programs of others run confined: what they may see, whom they may ask, how much they may use."""
