"""The policies told to people: a listing, a matrix, and a page for each."""
