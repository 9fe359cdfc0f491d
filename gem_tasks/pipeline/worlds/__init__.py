"""What the line in worlds needs beyond requests and answers: code that runs, and conversations between two models."""
