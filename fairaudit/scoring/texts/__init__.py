"""How a written text is scored: lexicons, word counts and classifiers behind one protocol."""
