"""The shared vocabulary: values that all rooms speak."""
