"""Problems in files, whoever found them: their codes, what silences them, and the formats in which they are reported."""
