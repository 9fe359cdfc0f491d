"""What a call cost: tokens, as the endpoint counts them and as GEM does, and their prices."""
