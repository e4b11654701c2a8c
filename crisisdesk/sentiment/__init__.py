"""The mood of a post: the shipped model, the stage that scores mentions with it, and how good it is."""
