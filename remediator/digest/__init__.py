"""The digest of a day or a week: what people looked through by hand, and where to look closer. One file a section."""
