"""RSS and Atom: feeds of news and forums, fetched politely and read in a process of its own."""
