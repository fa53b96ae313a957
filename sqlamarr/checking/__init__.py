"""What users write, checked before anything is done with it; imports nothing but the exceptions."""
