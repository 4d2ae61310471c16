"""Problems in files, from every checker: their codes, what silences them, and the formats in which they are reported."""
