"""How published checkpoints are laid out, and their conversion into what the model store keeps."""
