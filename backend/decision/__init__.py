"""The heart, pure: facts and a snapshot go in, one decision with its reason and its probability comes out."""
