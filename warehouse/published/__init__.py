"""What readers get: one build, in every form, behind one pointer."""
