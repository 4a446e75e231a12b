"""Fine-tuning: the encoders of a duet learn from triplets."""
