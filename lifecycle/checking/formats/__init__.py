"""Problems in files, from every checker: their codes, how they are silenced, and the formats of reports."""
